/* IPv4 and IPv6 beside each other: how far each of them is, and which one names the disk.
 *
 * A family is being asked until it has an address and its servers have told what they know about
 * the disk. Then the boot goes on
 *
 * - with the first family that names a disk. With prefer-family, the boot waits family-wait for the
 *   preferred one, and longer if a server or router of that family has answered. If the disk's
 *   server has an address of the other family, the boot waits for that family
 * - into the Discovery stage, when all families have answered and none names a disk. The boot does
 *   not wait for a family in which nobody (no offer, no router) has answered. If that family names
 *   a disk later, the boot takes it instead of discovery's
 * - to an error, when no family has an address and none can get one in time
 *
 * So a network of one family costs no wait for the other.
 *
 *   engine                                   families
 *   lb_families_begin, _ask             -->
 *   loop: lb_families_turn              -->  news: FOLLOW, NOBODY
 *         lb_families_follow
 *   lb_families_save                    -->  whether the other family may still name a disk
 *   loop: lb_families_reconsider        -->  that it does
 *
 * It asks nobody itself: it looks at the network, and decides. */
#ifndef LB_BOOT_FAMILIES_H
#define LB_BOOT_FAMILIES_H

#include "core/boot/attempts.h"
#include "core/boot/judge.h"

/* How much of the disk an answer names. */
enum lb_family_names {
    LB_NAMES_UNKNOWN, /* there is no answer yet */
    LB_NAMES_BROKEN,  /* a disk, in a way that cannot be used */
    LB_NAMES_NOTHING,
    LB_NAMES_TARGET, /* or a part of it: discovery finds the rest */
    LB_NAMES_DISK,   /* server and target */
};

/* How far a family is. */
struct lb_family_status {
    enum lb_family family;
    enum lb_family_progress progress;
    bool is_alive;                /* a server or router has answered */
    struct lb_boot_answer answer; /* LB_ANSWERED; it points into the network */
    enum lb_family_names names;
    struct lb_rootpath target; /* as it would be chosen */
    bool leads_on;             /* by the Root Path, or into discovery */
    bool is_usable;            /* names a disk, which can be reached as far as is known */
};

struct lb_families {
    struct lb_common *common;
    const struct lb_network *network;
    const struct lb_judge *judge;
    const struct lb_attempts *attempts;
    struct lb_network_need need;                      /* of this attempt */
    uint64_t asked_us;                                /* when this attempt began to ask */
    uint64_t deadline_us;                             /* until when the boot waits for an answer */
    struct lb_family_status status[LB_BOOT_FAMILIES]; /* as it was looked at last */
    uint64_t usable_us[LB_BOOT_FAMILIES]; /* when a family first named a disk; 0: it has not */
    enum lb_family chosen;                /* whose answer about the disk is used */
    bool chose_early;                /* no family had named a disk, and one had not answered yet */
    struct lb_error no_disk;         /* discovery's failure, while the boot waits for that family */
    bool searched[LB_BOOT_FAMILIES]; /* it had an address when that discovery began */
};

/* What was decided in a turn. */
enum lb_families_event {
    LB_FAMILIES_SAME,   /* the boot waits */
    LB_FAMILIES_FOLLOW, /* the boot goes on by what `status` says; `why` is for the report */
    LB_FAMILIES_NOBODY, /* is left to wait for */
};

struct lb_families_news {
    enum lb_families_event what;
    const struct lb_family_status *status; /* the stage's, until its next turn */
    const char *why;                       /* a constant */
    bool has_answer[LB_BOOT_FAMILIES];     /* of a dry run: the families that are shown */
};

/* families.c: the choice between them */
/* Its start: none is chosen. What it is given outlives it. */
void lb_families_init(struct lb_families *families, struct lb_common *common,
                      const struct lb_network *network, const struct lb_judge *judge,
                      const struct lb_attempts *attempts);
/* An attempt begins, with what the configuration chooses. Where the interface stays configured, the
 * family stays chosen. */
void lb_families_begin(struct lb_families *families, const struct lb_choice *choice);
/* The network is being asked from now on. */
void lb_families_ask(struct lb_families *families, uint64_t now_us);
/* The boot waits for an answer until then; LB_NEVER: it waits for as long as it takes, or does not
 * wait. */
void lb_families_await(struct lb_families *families, uint64_t until_us);
/* When an attempt must have its answer: dhcp-timeout after it began to ask. */
uint64_t lb_families_deadline_us(const struct lb_families *families);
/* Decides which family is followed. */
enum lb_turn lb_families_turn(struct lb_families *families, uint64_t now_us,
                              struct lb_families_news *news);
/* The same in a dry run, which waits for the offers of all. */
enum lb_turn lb_families_dry_turn(struct lb_families *families, uint64_t now_us,
                                  struct lb_families_news *news);
/* Why none is left: of two failures, that of the family in which somebody has answered, with the
 * other beside it. */
struct lb_error lb_families_why_out(const struct lb_families *families);
/* This family is followed. False: it names no disk, and discovery has failed and finds no more with
 * it; *error is discovery's. *was_saved: an attempt goes on that discovery had failed. */
bool lb_families_follow(struct lb_families *families, const struct lb_family_status *status,
                        bool *was_saved, struct lb_error *error);
/* Discovery begins, with the addresses that there are now. */
void lb_families_search(struct lb_families *families);
/* Discovery ended without a disk, and why. True: the other family may still name one, so the
 * attempt waits for it. */
bool lb_families_save(struct lb_families *families, const struct lb_error *why);
/* While discovery runs: the other family, if it names a disk by now; else NULL. */
const struct lb_family_status *lb_families_reconsider(struct lb_families *families,
                                                      uint64_t now_us);
/* The family that is not followed, if it names a disk, too, with its server; else NULL. */
const struct lb_family_status *lb_families_another(struct lb_families *families, uint64_t now_us);

/* families_status.c: how far a family is, and which disk it names */
#define LB_SILENT_TIMEOUT_US                                                                       \
    (4 * LB_US_SEC) /* for a family that nobody has answered in: four solicitations */
/* Looks at the family: its status now, which is kept, and valid until it is looked at again. Keeps
 * the first time that it names a usable disk, too, in usable_us. */
const struct lb_family_status *lb_families_status(struct lb_families *families, uint64_t now_us,
                                                  enum lb_family family);

/* families_addrs.c: addresses of connections */
/* RFC 8305 4: a name's addresses in the order in which they are tried: families in turn, the
 * preferred one first; those of a family that this machine has no address of come last. Gives how
 * many there are, LB_PORTALS_MAX at most. */
size_t lb_families_sort(const struct lb_families *families, struct lb_addr *addrs, size_t count);

#endif
