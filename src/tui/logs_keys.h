/* What keys do in the Logs tab that fills the screen; action.c has the table of them. */
#ifndef TUI_LOGS_KEYS_H
#define TUI_LOGS_KEYS_H

#include <stdbool.h>
#include <stdint.h>

struct ui;

/* What the next key is the letter of. */
enum log_letter { LETTER_NONE,
	LETTER_MARK,
	LETTER_GO,
	LETTER_COPY };

void do_log_search(struct ui *ui);
void do_log_search_back(struct ui *ui);
void do_log_next(struct ui *ui);
void do_log_previous(struct ui *ui);
void do_log_error(struct ui *ui);
void do_log_error_after(struct ui *ui);
void do_log_filter(struct ui *ui);
void do_log_save(struct ui *ui);
void do_log_times(struct ui *ui);
void do_log_wrap(struct ui *ui);
void do_log_oldest(struct ui *ui);
void do_log_follow(struct ui *ui);
void do_log_left(struct ui *ui);
void do_log_right(struct ui *ui);
void do_log_mark(struct ui *ui);
void do_log_go(struct ui *ui);
void do_log_copy(struct ui *ui);
void do_log_copy_from(struct ui *ui);

/* What was typed is done. */
void logs_keys_search(struct ui *ui);
void logs_keys_filter(struct ui *ui);
void logs_keys_save(struct ui *ui);

/* A key that may be the letter that was asked for; false: none was. */
bool logs_keys_letter(struct ui *ui, uint32_t key);
/* A search may have come to its end. */
void logs_keys_told(struct ui *ui);

#endif
