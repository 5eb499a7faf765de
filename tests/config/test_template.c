#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/template.h"
#include "model/spec.h"

static const char variables[] =
	"own:\n"
	"  A: alpha\n  N: 5\n  Z: 0\n  YES: true\n  NO: false\n  EMPTY: ''\n  QUOTED: '0'\n  NULLED:\n  V: 1.10\n"
	"  LIST: [x, y, z]\n  MAP: {one: 1, two: {deep: 2}}\n"
	"all:\n  A: hidden\n  B: beta\n";

static struct document document;
static struct problems problems;
static struct template_vars vars;

static void begin(void)
{
	problems_init(&problems);
	ck_assert(document_scan_yaml(&document, "t", variables, strlen(variables), &problems));
	vars = (struct template_vars){ .maps = { node_get(document.root, "own"), node_get(document.root, "all") }, .count = 2 };
}

static void end(void)
{
	document_finish(&document);
	problems_finish(&problems);
}

static char *render(const char *text)
{
	return template_render(text, &vars, NULL, (struct position){ .file = "t", .line = 1, .column = 1 }, &problems);
}

/* What Go's text/template makes of it. */
static const struct {
	const char *text, *want;
} rights[] = {
	{ "plain } text { here", "plain } text { here" },
	{ "", "" },
	{ "{{.A}}", "alpha" },
	{ "<{{ .A }}-{{.B}}>", "<alpha-beta>" },
	{ "{{.N}} {{.V}} {{.YES}}", "5 1.10 true" },
	{ "{{.MAP.one}}{{.MAP.two.deep}}", "12" },
	{ "a  {{- .A -}}  b", "aalphab" },
	{ "a {{/* nothing */}}b", "a b" },
	{ "{{ \"{{ .X }}\" }}", "{{ .X }}" },
	{ "{{`raw \\n`}}{{\"tab\\t.\"}}", "raw \\ntab\t." },
	{ "{{if .YES}}a{{end}}", "a" },
	{ "{{if .NO}}a{{else}}b{{end}}", "b" },
	{ "{{if .Z}}a{{else if .N}}b{{else}}c{{end}}", "b" },
	{ "{{if .EMPTY}}a{{else if .NULLED}}b{{else if .NOWHERE}}c{{else}}d{{end}}", "d" },
	{ "{{if .QUOTED}}text{{end}}", "text" },
	{ "{{if .YES}}{{if .NO}}a{{else}}b{{end}}{{else}}{{if .YES}}c{{end}}{{end}}", "b" },
	{ "{{if .NO}}{{.NOWHERE}}{{index .LIST 99}}{{end}}ok", "ok" },
	{ "{{if and .YES .N}}a{{end}}{{if or .NO .Z}}b{{end}}{{if not .NO}}c{{end}}", "ac" },
	{ "{{or .NOWHERE \"default\"}} {{or .A \"default\"}}", "default alpha" },
	{ "{{if eq .N 5}}a{{end}}{{if eq .A \"x\" \"alpha\"}}b{{end}}{{if ne .A .B}}c{{end}}", "abc" },
	{ "{{if lt .Z .N}}a{{end}}{{if ge .N 5}}b{{end}}{{if gt .Z .N}}c{{end}}{{if le .Z .Z}}d{{end}}", "abd" },
	{ "{{len .LIST}}{{len .MAP}}{{len .A}}", "325" },
	{ "{{index .LIST 1}}{{index .MAP \"one\"}}{{index .MAP \"two\" \"deep\"}}", "y12" },
	{ "{{print .A \"-\" .N}} {{printf \"%s:%d %q 100%%\" .A .N .B}}", "alpha-5 alpha:5 \"beta\" 100%" },
	{ "{{.A | printf \"<%s>\" | print \"x\"}}", "x<alpha>" },
	{ "{{(index .MAP \"two\").deep}}", "2" },
	{ "{{if (and (eq .N 5) (not .NO))}}yes{{end}}", "yes" },
	{ "{{range .LIST}}[{{.}}]{{end}}", "[x][y][z]" },
	{ "{{range .NOWHERE}}x{{else}}none{{end}}", "none" },
	{ "{{range .LIST}}{{if eq . \"y\"}}{{$.A}}{{end}}{{end}}", "alpha" },
	{ "{{with .MAP.two}}{{.deep}}{{end}}{{with .NO}}x{{else}}y{{end}}", "2y" },
	{ "port {{.PC_REPLICA_NUM}}", "port " INSTANCE_MARK },
};

START_TEST(what_go_makes_of_it)
{
	char *text = render(rights[_i].text);

	ck_assert_msg(text, "%s: %s", rights[_i].text, problems.count ? problems.texts[0] : "");
	ck_assert_str_eq(text, rights[_i].want);
	free(text);
}
END_TEST

static const struct {
	const char *text, *message;
} wrongs[] = {
	{ "{{.NOWHERE}}", "no variable is called 'NOWHERE': name it under vars" },
	{ "{{.A.B}}", "what '.B' is looked for in is no map" },
	{ "{{.State.Running}}", "what '.Running' is looked for in is no map" },
	{ "{{.LIST}}", "a list or a map is no text" },
	{ "{{.A", "{{ has no }}" },
	{ "{{.A .B}}", "'.B}}' was not expected" },
	{ "{{}}", "there is nothing between {{ and }}" },
	{ "{{\"a}}", "a quote has no end" },
	{ "{{if .YES}}a", "if has no {{end}}" },
	{ "{{range .LIST}}a", "with or range has no {{end}}" },
	{ "a{{end}}", "an {{end}} or {{else}} has no beginning" },
	{ "{{$x := .A}}", "variables of a template ($x) are not known here" },
	{ "{{define \"x\"}}a{{end}}", "'define' is not known here" },
	{ "{{upper .A}}", "'upper' is neither a function nor a value" },
	{ "{{not}}", "not has the wrong number of arguments" },
	{ "{{index .LIST 3}}", "index: there is no '3'" },
	{ "{{range .A}}x{{end}}", "range: 'alpha' is no list" },
	{ "{{(.A}}", "a ) is missing" },
	{ "{{.A | .B}}", "after a | comes a function" },
	{ "{{printf \"%x\" .N}}", "printf takes %v %s %d %q" },
	{ "{{.}}", "'.' alone is all variables" },
};

START_TEST(what_is_wrong_is_told_with_a_remedy)
{
	char *text = render(wrongs[_i].text);

	ck_assert_msg(!text, "%s was taken: %s", wrongs[_i].text, text);
	ck_assert_uint_eq(problems.errors, 1);
	ck_assert_msg(strstr(problems.texts[0], wrongs[_i].message), "%s: %s", wrongs[_i].text, problems.texts[0]);
	ck_assert_msg(strstr(problems.texts[0], "write {{ \"{{\" }} for what is no template"), "%s", problems.texts[0]);
}
END_TEST

static char *repeat(const char *text, unsigned count)
{
	struct text all;

	text_init(&all, 4 * 1024 * 1024);
	for (unsigned i = 0; i < count; i++)
		text_puts(&all, text);
	return text_take(&all);
}

/* In bounded time and memory: all of these end at once. */
START_TEST(hostile_templates_end)
{
	static const char *const patterns[] = { "{{if .YES}}", "{{(", "{{range .LIST}}", "{{with .A}}", "{{", "{{\"" };

	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		char *text = repeat(patterns[i], 20000);
		ck_assert_ptr_null(render(text));
		free(text);
	}
	char *open = repeat("{{range .LIST}}", 20), *shut = repeat("{{end}}", 20);
	char *nested = memory_format("%sx%s", open, shut);
	ck_assert_ptr_null(render(nested)); /* 3 to the 20th */
	free(open);
	free(shut);
	free(nested);
}
END_TEST

Suite *template_suite(void)
{
	Suite *suite = suite_create("template");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, begin, end);
	tcase_set_timeout(all, 20);
	tcase_add_loop_test(all, what_go_makes_of_it, 0, (int)(sizeof rights / sizeof *rights));
	tcase_add_loop_test(all, what_is_wrong_is_told_with_a_remedy, 0, (int)(sizeof wrongs / sizeof *wrongs));
	tcase_add_test(all, hostile_templates_end);
	suite_add_tcase(suite, all);
	return suite;
}
