/* The line behind a colon: its commands, and how they and what they take are completed. */
#ifndef TUI_COMMAND_LINE_H
#define TUI_COMMAND_LINE_H

struct ui;

/* line is spoilt. */
void command_run(struct ui *ui, char *line);
/* What is typed goes on as far as all agree that it could be; when it can go no further, they are named. */
void command_complete(struct ui *ui);

#endif
