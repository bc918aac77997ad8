/* Answers of DHCP that wait until what they promise is on stable storage: RFC 2131 3.1 step 4, the
 * server commits the binding, and then answers. They leave in the order they came. One whose change
 * could not be written is dropped: the client asks again. */
#ifndef LB_SERVER_OUTBOX_H
#define LB_SERVER_OUTBOX_H

#include "core/dhcp4/dhcp4.h"
#include "server/boot_file.h"
#include "server/store.h"

#define LB_OUTBOX_MAX 512 /* answers; those of a boot storm while one commit is under way */

struct lb_outbox_letter {
    uint64_t ticket; /* of its change; 0: it waits for nothing */
    bool is_boot;    /* it leaves from port 4011 */
    struct lb_endpoint to;
    uint8_t to_mac[6]; /* zeros: `to` is asked for by ARP */
    char said[260];    /* what is told of it when it leaves; empty: nothing */
    /* Whom that is about: struct lb_event has the meaning of each. */
    uint8_t mac[6];
    char machine[LB_SERVER_MACHINE_NAME_MAX + 1], host[64];
    struct lb_addr given;
    bool is_firmware, is_trouble;
    size_t len;
    uint8_t bytes[LB_DHCP4_PACKET_MAX];
};

struct lb_outbox {
    struct lb_outbox_letter *letters; /* a ring */
    size_t first, count;
};

/* False: there is no memory. */
bool lb_outbox_open(struct lb_outbox *outbox);
/* The next free letter, which the caller fills; NULL: the outbox is full. */
struct lb_outbox_letter *lb_outbox_add(struct lb_outbox *outbox);
/* Begins it anew: these bytes to that address, about a machine (NULL: none) with this card (zeros:
 * not known) that boots so. It waits for nothing but what the machine itself waits for, as of
 * progress. All is copied. */
void lb_outbox_fill(struct lb_outbox_letter *letter, struct lb_endpoint to, struct lb_bytes bytes,
                    const uint8_t mac[6], const struct lb_server_boot_file *boot,
                    const struct lb_server_machine *machine, struct lb_store_progress progress);
/* Tells what is to be told of it, as it leaves. */
void lb_outbox_tell(const struct lb_outbox_letter *letter);
/* Tells that this many requests for `what` ("addresses") get no answer, and why; nothing for 0. */
void lb_outbox_tell_dropped(size_t dropped, const char *what, struct lb_server_store *store,
                            const struct lb_server_settings *settings);
/* The first letter whose change is written, taken out; NULL: there is none. Letters whose change
 * has failed are dropped and counted in *dropped. Valid until the next call. */
const struct lb_outbox_letter *lb_outbox_next(struct lb_outbox *outbox,
                                              struct lb_store_progress progress, size_t *dropped);
void lb_outbox_close(struct lb_outbox *outbox); /* harmless where it is closed */

#endif
