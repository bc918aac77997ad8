/* What the kernel is told of IPsec, and what it answers: messages of XFRM's netlink, as bytes.
 *
 * The kernel's structures are in <linux/xfrm.h>; numbers in them are the machine's own, but for
 * addresses, ports and SPIs. Pure; xfrm.h has the socket. */
#ifndef LB_LINUX_XFRM_WIRE_H
#define LB_LINUX_XFRM_WIRE_H

#include "core/ipsec/ipsec.h"

enum {
    LB_XFRM_MESSAGE_MAX = 512, /* bytes; the longest, a new SA, has 404 */
    LB_XFRM_REQID = 0x4c42,    /* by which policies know the SAs that are ours */
};

/* One direction of a pair of SAs. */
enum lb_xfrm_way { LB_XFRM_IN, LB_XFRM_OUT };

/* Adds the SA of one direction, with its key: wipe the message. Each of these functions gives the
 * message, which lies in room (LB_XFRM_MESSAGE_MAX bytes are enough), and asks for an answer with
 * the number seq. */
struct lb_bytes lb_xfrm_new_sa(const struct lb_ipsec_terms *terms, enum lb_xfrm_way way,
                               uint32_t seq, struct lb_span room);
/* Takes it away. */
struct lb_bytes lb_xfrm_del_sa(const struct lb_ipsec_terms *terms, enum lb_xfrm_way way,
                               uint32_t seq, struct lb_span room);
/* Asks for it; the answer is as lb_xfrm_new_sa, with what it has done so far. */
struct lb_bytes lb_xfrm_get_sa(const struct lb_ipsec_terms *terms, enum lb_xfrm_way way,
                               uint32_t seq, struct lb_span room);

/* What is done with packets between two addresses. Of several policies for a packet the first of
 * these decides. */
enum lb_xfrm_does {
    LB_XFRM_PASSES, /* in clear: one type of ICMPv6 */
    LB_XFRM_PROTECTS,
    LB_XFRM_BLOCKS,
};
struct lb_xfrm_policy {
    enum lb_xfrm_does does;
    enum lb_xfrm_way way;
    struct lb_addr local, remote; /* local zero, with its family: any */
    enum lb_ipsec_mode mode;      /* of PROTECTS */
    uint8_t icmp6_type;           /* of PASSES */
};
/* Adds the policy, or puts it in the place of the one for the same packets. */
struct lb_bytes lb_xfrm_set_policy(const struct lb_xfrm_policy *policy, uint32_t seq,
                                   struct lb_span room);
/* Takes it away. */
struct lb_bytes lb_xfrm_del_policy(const struct lb_xfrm_policy *policy, uint32_t seq,
                                   struct lb_span room);

/* What the kernel says to the request seq. */
struct lb_xfrm_answer {
    bool is_over;     /* it was carried out, or refused */
    int refused;      /* 0, or an errno */
    bool has_sa;      /* what follows is of lb_xfrm_get_sa's SA */
    uint32_t spi;     /* as lb_ipsec_terms has it */
    uint64_t packets; /* so many under its key */
};
/* Reads messages of the kernel; what is not an answer to seq, or malformed, is passed over. */
struct lb_xfrm_answer lb_xfrm_read(struct lb_bytes messages, uint32_t seq);

#endif
