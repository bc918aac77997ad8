#include "server/outbox.h"
#include <stdlib.h>

bool lb_outbox_open(struct lb_outbox *outbox) {
    *outbox = (struct lb_outbox){.letters = calloc(LB_OUTBOX_MAX, sizeof *outbox->letters)};
    return outbox->letters != NULL;
}

struct lb_outbox_letter *lb_outbox_add(struct lb_outbox *outbox) {
    if (outbox->count == LB_OUTBOX_MAX)
        return NULL;
    return &outbox->letters[(outbox->first + outbox->count++) % LB_OUTBOX_MAX];
}

const struct lb_outbox_letter *lb_outbox_next(struct lb_outbox *outbox,
                                              struct lb_store_progress progress, size_t *dropped) {
    while (outbox->count > 0) {
        const struct lb_outbox_letter *letter = &outbox->letters[outbox->first];
        if (letter->ticket > progress.done)
            return NULL;
        outbox->first = (outbox->first + 1) % LB_OUTBOX_MAX;
        outbox->count--;
        if (letter->ticket == 0 || letter->ticket > progress.failed)
            return letter;
        (*dropped)++;
    }
    return NULL;
}

void lb_outbox_close(struct lb_outbox *outbox) {
    free(outbox->letters);
    *outbox = (struct lb_outbox){0};
}
