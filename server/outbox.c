#include "server/outbox.h"
#include "server/say.h"
#include <stdlib.h>
#include <string.h>

bool lb_outbox_open(struct lb_outbox *outbox) {
    *outbox = (struct lb_outbox){.letters = calloc(LB_OUTBOX_MAX, sizeof *outbox->letters)};
    return outbox->letters != NULL;
}

struct lb_outbox_letter *lb_outbox_add(struct lb_outbox *outbox) {
    if (outbox->count == LB_OUTBOX_MAX)
        return NULL;
    return &outbox->letters[(outbox->first + outbox->count++) % LB_OUTBOX_MAX];
}

void lb_outbox_fill(struct lb_outbox_letter *letter, struct lb_endpoint to, struct lb_bytes bytes,
                    const uint8_t mac[6], const struct lb_server_boot_file *boot,
                    const struct lb_server_machine *machine, struct lb_store_progress progress) {
    lb_assert(bytes.len <= sizeof letter->bytes);
    *letter = (struct lb_outbox_letter){.to = to, .len = bytes.len};
    memcpy(letter->bytes, bytes.p, bytes.len);
    memcpy(letter->mac, mac, sizeof letter->mac);
    letter->is_firmware = boot->requester != LB_REQUESTER_OTHER;
    letter->is_trouble = boot->missing != NULL;
    if (machine == NULL)
        return;
    lb_format(letter->machine, sizeof letter->machine, "%s", machine->name);
    if (machine->ticket > progress.done)
        letter->ticket = machine->ticket;
}

void lb_outbox_tell(const struct lb_outbox_letter *letter) {
    const struct lb_event event = {
        .kind = LB_EVENT_ADDRESS,
        .machine = letter->machine,
        .mac = lb_mac_is_set(letter->mac) ? letter->mac : NULL,
        .address = letter->given,
        .host = letter->host,
        .is_firmware = letter->is_firmware,
        .is_trouble = letter->is_trouble,
        .hint = letter->is_trouble ? lb_server_boot_file_hint : NULL,
    };
    if (letter->said[0] != '\0')
        lb_server_tell(&event, "%s", letter->said);
}

void lb_outbox_tell_dropped(size_t dropped, const char *what, struct lb_server_store *store,
                            const struct lb_server_settings *settings) {
    char reason[160];
    if (dropped == 0)
        return;
    lb_server_store_reason(store, reason, sizeof reason);
    lb_server_say("",
                  "%zu requests for %s get no answer, because the answer cannot be kept in %s: %s",
                  dropped, what, settings->state, reason);
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
