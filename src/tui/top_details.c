/* What the open tab says of the selected process, as lines. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "model/figure.h"
#include "tui/top_ui.h"

enum { DETAILS_MOST = 256 * 1024,
	CELL = FIGURE_SIZE };

const char *const top_tab_names[TOP_TAB_COUNT] = { "", "Info", "Threads", "Files", "Sockets", "Locks", "Env", "Args", "Calls" };

static void put_safe(struct text *out, const char *text)
{
	utf8_append_safe(out, text, strlen(text), false);
}

static void tell_findings(struct text *out, const struct study *study)
{
	for (size_t i = 0; i < study->finding_count; i++) {
		put_safe(out, study->findings[i]);
		text_putc(out, '\n');
	}
	if (!study->finding_count)
		text_puts(out, "nothing stands out\n");
}

static void tell_threads(struct text *out, const struct study *study)
{
	char cpu[CELL], switches[CELL], name[sizeof study->threads->name + 1];

	text_format(out, "%8s S %6s %8s  %-16s %-20s %-16s %s\n", "TID", "CPU%", "SWITCH/S", "NAME", "ROLE", "SYSCALL",
		"WAITS IN");
	for (size_t i = 0; i < study->thread_count; i++) {
		const struct thread_report *thread = &study->threads[i];
		snprintf(name, sizeof name, "%s", thread->name);
		for (char *c = name; *c; c++)
			*c = (unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f ? '?' : *c;
		text_format(out, "%8d %c %6s %8s  %-16s %-20s %-16s %s\n", (int)thread->tid, thread->state,
			figure_rate(cpu, thread->cpu_pct, "-"), figure_rate(switches, thread->switch_rate, "-"), name,
			*thread->role ? thread->role : "-", *thread->syscall ? thread->syscall : "?",
			*thread->wchan ? thread->wchan : "-");
	}
}

static void tell_sockets(struct text *out, const struct study *study)
{
	char in[CELL], sent[CELL], unread[CELL], unsent[CELL], in_rate[CELL], out_rate[CELL], rtt[CELL], resent[CELL];

	if (!study->peer_count) {
		text_puts(out, "no sockets or pipes that are ours to see\n");
		return;
	}
	text_format(out, "%4s %-5s %-3s %6s %6s %6s %6s %6s %6s %6s %6s  %s\n", "FD", "KIND", "", "UNREAD", "UNSENT", "IN", "OUT", "IN/S",
		"OUT/S", "RTT-MS", "RESENT", "WITH");
	for (size_t i = 0; i < study->peer_count; i++) {
		const struct peer_report *peer = &study->peers[i];
		text_format(out, "%4d %-5s %s %6s %6s %6s %6s %6s %6s %6s %6s  ", (int)peer->fd, peer_transport_name(peer->transport),
			figure_arrow(peer), figure_size(unread, peer->in_queued, "-"), figure_size(unsent, peer->out_queued, "-"),
			figure_size(in, peer->in_bytes, "-"), figure_size(sent, peer->out_bytes, "-"),
			figure_speed(in_rate, peer->in_rate, "-"), figure_speed(out_rate, peer->out_rate, "-"),
			figure_ms(rtt, peer->rtt_ms, "-"), figure_count(resent, peer->resent, "-"));
		put_safe(out, peer->process);
		if (peer->pid)
			text_format(out, " (%d) ", (int)peer->pid);
		put_safe(out, *peer->remote ? peer->remote : peer->local);
		text_putc(out, '\n');
	}
}

static void (*const tells[TOP_TAB_COUNT])(struct text *out, const struct study *study) = {
	[TOP_TAB_INFO] = tell_findings,
	[TOP_TAB_THREADS] = tell_threads,
	[TOP_TAB_SOCKETS] = tell_sockets,
};

static void tell_known(struct top *top)
{
	const struct top_quest *known = top->known;
	bool is_it = known && machine_id_is(&known->studied, &top->studied);

	is_it = is_it && known->tab == top->tab;
	if (is_it && known->is_told)
		text_append(&top->details, known->told.data, known->told.size);
	else if (is_it && known->is_studied && tells[top->tab])
		tells[top->tab](&top->details, &known->study);
	else if (is_it)
		text_format(&top->details, "? %s\n", known->why.text);
	else
		text_puts(&top->details, "looking ...\n");
}

/* As they come: the newest is at the end, and that is what is seen. */
static void tell_calls(struct top *top)
{
	const struct top_source *source = top->options->source;
	struct machine_id traced = { 0 };
	struct error err;

	source->hear(source->context, &traced, &top->details);
	top->scroll = INT_MAX;
	if (machine_id_is(&traced, &top->studied))
		return;
	if (traced.pid) /* another one was selected meanwhile */
		source->trace(source->context, &(struct machine_id){ 0 }, &err);
	text_clear(&top->details);
	text_puts(&top->details, "s tells its system calls as it makes them. For that it is stopped at each, and slower; Esc ends it.\n");
}

/* It costs: only what is open is told, and only of the one that is selected. */
void top_details_read(struct top *top)
{
	struct machine_id meant = top_meant(top);
	bool is_other = !machine_id_is(&top->studied, &meant);

	if (top->tab == TOP_TAB_NONE || (!is_other && !top->is_untold))
		return;
	top->scroll = is_other ? 0 : top->scroll;
	top->studied = meant;
	top->is_untold = false;
	if (!top->details.most)
		text_init(&top->details, DETAILS_MOST);
	text_clear(&top->details);
	if (!meant.pid)
		return;
	if (top->tab == TOP_TAB_CALLS)
		tell_calls(top);
	else
		tell_known(top);
}
