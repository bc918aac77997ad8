#include "server/view.h"
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MAX 200
#define LINES_MAX   60
#define BAR_CELLS   20

/* ---- lines ---- */

static bool has_trouble(const struct lb_board_row *row) {
    return row->trouble[0] != '\0';
}

/* From the top to the bottom. */
enum rank { TROUBLED, BOOTING, RUNNING, RESTING, RANKS }; /* BOOTING: or being sanitized */

static enum rank rank_of(const struct lb_board *board, const struct lb_board_row *row) {
    if (has_trouble(row) || row->sanitize == LB_SCSI_SANITIZE_FAILED)
        return TROUBLED;
    if (lb_board_progress(board, row) != -1)
        return BOOTING;
    return row->sessions > 0 ? RUNNING : RESTING;
}

static void add_bar(struct lb_text *text, int permille) {
    int full = permille * BAR_CELLS / 1000;
    lb_text_add(text, " [");
    for (int i = 0; i < BAR_CELLS; i++)
        lb_text_add(text, "%s", permille < 0 ? "." : i < full ? "#" : " ");
    lb_text_add(text, "]");
    if (permille >= 0)
        lb_text_add(text, " %d%%", permille / 10);
}

static void add_row(const struct lb_board *board, const struct lb_board_row *row,
                    struct lb_text *text) {
    int progress = lb_board_progress(board, row);
    lb_text_add(text, "%-18s  %-9s", lb_board_name(row).s, lb_board_state(row));
    if (progress != -1)
        add_bar(text, progress);
    if (row->rate_read > 0)
        lb_text_add(text, "  reads %s/s", lb_size_text(row->rate_read).s);
    if (row->rate_written > 0)
        lb_text_add(text, "  writes %s/s", lb_size_text(row->rate_written).s);
    if (row->overlay_bytes > 0)
        lb_text_add(text, "  overlay %s", lb_size_text(row->overlay_bytes).s);
    if (has_trouble(row))
        lb_text_add(text, "  ! %s", row->trouble);
    if (has_trouble(row) && row->hint[0] != '\0')
        lb_text_add(text, "; try: %s", row->hint);
}

/* One line of at most this many bytes, and its end. */
static void add_cut(struct lb_text *text, const char *line, unsigned columns) {
    for (unsigned i = 0; i < columns && line[i] != '\0'; i++)
        lb_text_add(text, "%c", (unsigned char)line[i] >= 0x80 ? '?' : line[i]);
    lb_text_add(text, "\n");
}

unsigned lb_view_lines(const struct lb_board *board, unsigned columns, unsigned lines,
                       struct lb_text *text) {
    char line[700];
    size_t used = board->count - board->free_count;
    unsigned shown = 0, room = used <= lines ? (unsigned)used : lines - 1;
    for (int rank = 0; rank < RANKS; rank++) {
        for (size_t i = 0; i < board->count && shown < room; i++) {
            const struct lb_board_row *row = &board->rows[i];
            struct lb_text one = lb_text(line, sizeof line);
            if (!row->is_used || (int)rank_of(board, row) != rank)
                continue;
            add_row(board, row, &one);
            add_cut(text, line, columns);
            shown++;
        }
    }
    if (used == shown)
        return shown;
    lb_format(line, sizeof line, "and %zu more: lunbootctl list", used - shown);
    add_cut(text, line, columns);
    return shown + 1;
}

/* ---- the terminal ---- */

static bool is_on;
static unsigned drawn; /* lines that are there */

bool lb_view_begin(void) {
    const char *kind = getenv("TERM");
    is_on =
        isatty(STDOUT_FILENO) == 1 && kind != NULL && kind[0] != '\0' && !lb_streq(kind, "dumb");
    return is_on;
}

bool lb_view_is_on(void) {
    return is_on;
}

void lb_view_clear(struct lb_text *text) {
    if (drawn > 0)
        lb_text_add(text, "\033[%uA\033[J",
                    drawn); /* so many lines up, and nothing from there on */
    drawn = 0;
}

void lb_view_draw(const struct lb_board *board, struct lb_text *text) {
    struct winsize size = {0};
    if (!is_on)
        return;
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    unsigned columns = size.ws_col == 0 ? 80 : size.ws_col, lines = size.ws_row / 2U;
    columns = LB_MAX(LB_MIN(columns - 1, COLUMNS_MAX), 40);
    lines = LB_MAX(LB_MIN(lines, LINES_MAX), 4);
    lb_view_clear(text);
    drawn = lb_view_lines(board, columns, lines, text);
}
