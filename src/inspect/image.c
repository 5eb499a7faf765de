#include "inspect/image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum {
	SECTIONS_MOST = 4096,
	SEGMENTS_MOST = 256,
	SYMBOLS_MOST = 4 * 1024 * 1024,
	SYMBOLS_PIECE = 1024,
	NAMES_MOST = 256 * 1024 * 1024,
	NAME_SIZE = 32, /* of what we look for; longer ones are none of them */
	STRINGS_PIECE = 64 * 1024,
	STRINGS_MOST = 512 * 1024 * 1024,
};

/* Every libuv asks for this variable, with symbols or without. */
static const char MARK[] = "UV_THREADPOOL_SIZE";

struct wanted {
	const char *name, *file; /* prefix of the source file that it is local to */
	unsigned char type;
};

static const struct wanted wanted[IMAGE_SYMBOL_COUNT] = {
	[IMAGE_SLOW_QUEUE] = { "slow_io_pending_wq", "threadpool", STT_OBJECT },
	[IMAGE_SLOW_MESSAGE] = { "run_slow_work_message", "threadpool", STT_OBJECT },
	[IMAGE_QUEUE] = { "wq", "threadpool", STT_OBJECT },
	[IMAGE_EXIT_MESSAGE] = { "exit_message", "threadpool", STT_OBJECT },
	[IMAGE_THREADS] = { "threads", "threadpool", STT_OBJECT },
	[IMAGE_THREAD_COUNT] = { "nthreads", "threadpool", STT_OBJECT },
	[IMAGE_IDLE] = { "idle_threads", "threadpool", STT_OBJECT },
	[IMAGE_LOOP] = { "default_loop_struct", "uv-common", STT_OBJECT },
	[IMAGE_WORK_FS] = { "uv__fs_work", "fs", STT_FUNC },
	[IMAGE_WORK_ADDRESS] = { "uv__getaddrinfo_work", "getaddrinfo", STT_FUNC },
	[IMAGE_WORK_NAME] = { "uv__getnameinfo_work", "getnameinfo", STT_FUNC },
	[IMAGE_WORK_RANDOM] = { "uv__random_work", "random", STT_FUNC },
	[IMAGE_WORK_QUEUE] = { "uv__queue_work", "threadpool", STT_FUNC },
};

struct file {
	int fd;
	uint64_t size;
	Elf64_Ehdr header;
	Elf64_Shdr *sections; /* owned; section_count of them */
	size_t section_count;
};

static bool read_at(const struct file *file, void *out, uint64_t size, uint64_t offset)
{
	if (offset > file->size || size > file->size - offset)
		return false;
	for (uint64_t got = 0; got < size;) {
		ssize_t piece = pread(file->fd, (char *)out + got, size - got, (off_t)(offset + got));
		if (piece <= 0)
			return false;
		got += (uint64_t)piece;
	}
	return true;
}

static bool read_header(struct file *file)
{
	struct stat st;
	const Elf64_Ehdr *header = &file->header;

	if (fstat(file->fd, &st) < 0 || st.st_size <= 0)
		return false;
	file->size = (uint64_t)st.st_size;
	return read_at(file, &file->header, sizeof file->header, 0) &&
	       memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
	       header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
	       header->e_machine == EM_X86_64 && (header->e_type == ET_EXEC || header->e_type == ET_DYN);
}

static bool read_segments(const struct file *file, struct image *image)
{
	const Elf64_Ehdr *header = &file->header;
	Elf64_Phdr segment;

	image->is_fixed = header->e_type == ET_EXEC;
	image->base = UINT64_MAX;
	if (header->e_phentsize != sizeof segment || header->e_phnum > SEGMENTS_MOST)
		return false;
	for (unsigned i = 0; i < header->e_phnum; i++) {
		if (!read_at(file, &segment, sizeof segment, header->e_phoff + i * sizeof segment))
			return false;
		if (segment.p_type == PT_LOAD && segment.p_vaddr < image->base)
			image->base = segment.p_vaddr;
	}
	return image->base != UINT64_MAX;
}

static bool read_sections(struct file *file)
{
	const Elf64_Ehdr *header = &file->header;
	size_t count = header->e_shnum;

	if (!count || count > SECTIONS_MOST || header->e_shentsize != sizeof *file->sections)
		return false;
	file->sections = memory_zeroed(count, sizeof *file->sections);
	file->section_count = count;
	return read_at(file, file->sections, count * sizeof *file->sections, header->e_shoff);
}

/* The names of a symbol table: they are looked at here and there, so all of them at once. */
static char *read_names(const struct file *file, const Elf64_Shdr *table, uint64_t *size)
{
	if (table->sh_link >= file->section_count)
		return NULL;
	const Elf64_Shdr *strings = &file->sections[table->sh_link];
	if (!strings->sh_size || strings->sh_size > NAMES_MOST || strings->sh_size > file->size)
		return NULL;
	char *names = memory_zeroed(strings->sh_size + 1, 1);
	if (read_at(file, names, strings->sh_size, strings->sh_offset)) {
		*size = strings->sh_size;
		return names;
	}
	free(names);
	return NULL;
}

static bool is_of_file(const char *source, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(source, prefix, length) == 0 && source[length] == '.';
}

static void take_symbol(struct image *image, const Elf64_Sym *symbol, const char *name, const char *source)
{
	unsigned char type = ELF64_ST_TYPE(symbol->st_info);

	for (enum image_symbol i = 0; i < IMAGE_SYMBOL_COUNT; i++)
		if (wanted[i].type == type && strcmp(wanted[i].name, name) == 0 &&
			is_of_file(source, wanted[i].file))
			image->symbols[i] = symbol->st_value;
}

/* Local symbols follow the name of the file that they are of. */
static void take_symbols(struct image *image, const Elf64_Sym *symbols, size_t count, const char *names,
	uint64_t size, const char **source)
{
	for (size_t i = 0; i < count; i++) {
		const Elf64_Sym *symbol = &symbols[i];
		if (symbol->st_name >= size)
			continue;
		const char *name = names + symbol->st_name;
		if (ELF64_ST_TYPE(symbol->st_info) == STT_FILE)
			*source = name;
		else if (ELF64_ST_BIND(symbol->st_info) == STB_LOCAL)
			take_symbol(image, symbol, name, *source);
		else if (strcmp(name, "uv_queue_work") == 0 && symbol->st_shndx != SHN_UNDEF)
			image->is_libuv = true;
	}
}

static void read_table(struct image *image, const struct file *file, const Elf64_Shdr *table)
{
	Elf64_Sym symbols[SYMBOLS_PIECE];
	uint64_t left = table->sh_size / sizeof *symbols, offset = table->sh_offset, size = 0;
	const char *source = "";

	if (left > SYMBOLS_MOST)
		left = SYMBOLS_MOST;
	char *names = read_names(file, table, &size);
	while (names && left) {
		size_t count = left < SYMBOLS_PIECE ? left : SYMBOLS_PIECE;
		if (!read_at(file, symbols, count * sizeof *symbols, offset))
			break;
		take_symbols(image, symbols, count, names, size, &source);
		left -= count;
		offset += count * sizeof *symbols;
	}
	free(names);
}

static bool has_mark(const struct file *file, const Elf64_Shdr *section)
{
	char *piece = memory_zeroed(STRINGS_PIECE + sizeof MARK, 1);
	uint64_t at = 0, size = section->sh_size < STRINGS_MOST ? section->sh_size : STRINGS_MOST;
	bool has = false;

	while (at < size && !has) {
		uint64_t count = size - at < STRINGS_PIECE + sizeof MARK ? size - at : STRINGS_PIECE + sizeof MARK;
		if (!read_at(file, piece, count, section->sh_offset + at))
			break;
		has = memmem(piece, count, MARK, sizeof MARK);
		at += STRINGS_PIECE;
	}
	free(piece);
	return has;
}

/* One without symbols: its texts are searched. */
static void search_mark(struct image *image, const struct file *file)
{
	for (size_t i = 0; i < file->section_count && !image->is_libuv; i++) {
		const Elf64_Shdr *section = &file->sections[i];
		bool is_text = section->sh_type == SHT_PROGBITS && !(section->sh_flags & (SHF_WRITE | SHF_EXECINSTR));
		if (is_text && section->sh_flags & SHF_ALLOC)
			image->is_libuv = has_mark(file, section);
	}
}

static void judge(struct image *image, const struct file *file, bool has_table)
{
	image->has_pool = true;
	for (enum image_symbol i = 0; i < IMAGE_POOL_COUNT; i++)
		if (!image->symbols[i])
			image->has_pool = false;
	if (image->has_pool)
		image->is_libuv = true;
	else if (!has_table)
		search_mark(image, file);
}

void image_read(struct image *image, int fd)
{
	struct file file = { .fd = fd };
	bool has_table = false;

	*image = (struct image){ 0 };
	if (read_header(&file) && read_segments(&file, image) && read_sections(&file)) {
		for (size_t i = 0; i < file.section_count; i++) {
			const Elf64_Shdr *section = &file.sections[i];
			has_table = has_table || section->sh_type == SHT_SYMTAB;
			if (section->sh_type == SHT_SYMTAB || section->sh_type == SHT_DYNSYM)
				read_table(image, &file, section);
		}
		judge(image, &file, has_table);
	}
	free(file.sections);
}
