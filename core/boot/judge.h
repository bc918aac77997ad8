/* What the answers of the network are worth, before anything is done because of them: a bad answer
 * is passed over, and a good one boots. And which servers are not preferred after an attempt that
 * followed them in vain. */
#ifndef LB_BOOT_JUDGE_H
#define LB_BOOT_JUDGE_H

#include "core/boot/choice.h"
#include "core/boot/network.h"
#include "core/boot/passed.h"

struct lb_judge {
    struct lb_common *common;
    const struct lb_network *network; /* its leases, and who gave them */
    struct lb_passed *passed;         /* which is told of bad answers */
    bool is_named;                    /* a person named the disk and its server */
    bool found_nothing;               /* the last attempt ended because nobody named a disk */
    bool followed[LB_BOOT_FAMILIES];  /* there was a lease when it ended */
    bool has_blamed;                  /* by the last attempt */
    struct lb_addr blamed4; /* DHCP servers that an attempt followed in vain, though there are */
    struct lb_duid blamed6; /* others; family none, length 0: none */
};

/* An answer, judged. */
struct lb_judged {
    struct lb_rootpath target; /* as it would be chosen */
    bool has_target;           /* with its server */
    bool leads_on;             /* by the Root Path, or into discovery */
    bool is_open;              /* it does not, because a Root Path or a server is missing */
    struct lb_error error;     /* why the disk that it names cannot be used; LB_OK: it can */
};

/* Its start: no server is blamed. What it is given outlives it. */
void lb_judge_init(struct lb_judge *judge, struct lb_common *common,
                   const struct lb_network *network, struct lb_passed *passed);
/* An attempt asks the network. is_named: a person named the disk and its server. */
void lb_judge_begin(struct lb_judge *judge, bool is_named);
/* What the target would be by this answer. */
void lb_judge_answer(const struct lb_judge *judge, const struct lb_boot_answer *answer,
                     struct lb_judged *judged);
/* The worth of a lease, for the client of DHCP. A bad one that we asked for is passed over. */
enum lb_worth lb_judge_lease4(struct lb_judge *judge, uint64_t now_us,
                              const struct lb_dhcp4_lease *lease);
/* The same for DHCPv6; a server that a failed attempt blames is doubtful at best. */
enum lb_worth lb_judge_lease6(struct lb_judge *judge, uint64_t now_us,
                              const struct lb_dhcp6_lease *lease);
/* Whether the lease of this family is asked for anew, of all servers, instead of being confirmed by
 * its own. */
bool lb_judge_doubts(const struct lb_judge *judge, enum lb_family family);
/* The attempt has failed: where there are other DHCP servers, the next one prefers them. chosen:
 * whose answer was followed. LB_OK: it begins again, and offers may have come in the pause. */
void lb_judge_failure(struct lb_judge *judge, enum lb_code why, enum lb_family chosen);
/* Whether another attempt after this failure may find better answers. */
bool lb_judge_may_pass(const struct lb_judge *judge, enum lb_code why);

#endif
