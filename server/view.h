/* The view: in a terminal, a line for each machine stands below the log, and is drawn anew each
 * second. What is printed goes above it. */
#ifndef LB_SERVER_VIEW_H
#define LB_SERVER_VIEW_H

#include "server/board.h"

#define LB_VIEW_BYTES 16384 /* what lb_view_draw adds, at most */

/* Rows of the board as lines of plain ASCII, each ended by a line feed: machines with trouble and
 * those that boot first. columns: none is longer (at least 40, at most 200); lines: there are no
 * more (at least 2); where more machines are there, the last line says how many. Gives how many
 * lines it has added. */
unsigned lb_view_lines(const struct lb_board *board, unsigned columns, unsigned lines,
                       struct lb_text *text);

/* From now on the board is shown on standard output, if that is a terminal that can move its
 * cursor. False: it is none. */
bool lb_view_begin(void);
/* Whether it is shown: then the board is to be refreshed each second. */
bool lb_view_is_on(void);
/* Adds what takes the lines away until the next lb_view_draw, for something else to be printed;
 * nothing if none are there. The text is printed. */
void lb_view_clear(struct lb_text *text);
/* Adds what draws the board's lines in place of those that are there: LB_VIEW_BYTES at most.
 * Nothing if it was not begun. The text is printed. */
void lb_view_draw(const struct lb_board *board, struct lb_text *text);

#endif
