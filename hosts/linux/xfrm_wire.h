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
    LB_XFRM_PRIORITY = 2000,   /* of the policies PROTECTS; the least number decides */
};

/* Of the policies ADMITS: behind those of everybody. */
#define LB_XFRM_ADMIT (UINT32_MAX - 1)

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
    LB_XFRM_ADMITS, /* in clear: all that no other policy is for */
};
struct lb_xfrm_policy {
    enum lb_xfrm_does does;
    enum lb_xfrm_way way;
    struct lb_addr local, remote; /* zero, with its family: any */
    enum lb_ipsec_mode mode;      /* of PROTECTS */
    uint8_t icmp6_type;           /* of PASSES */
    uint16_t port;                /* of BLOCKS: the remote's, and of TCP alone; 0: everything */
};
/* Adds the policy, or puts it in the place of the one for the same packets. */
struct lb_bytes lb_xfrm_set_policy(const struct lb_xfrm_policy *policy, uint32_t seq,
                                   struct lb_span room);
/* Adds it where none is for the same packets; else it is refused with EEXIST. */
struct lb_bytes lb_xfrm_add_policy(const struct lb_xfrm_policy *policy, uint32_t seq,
                                   struct lb_span room);
/* Asks for the policy for these packets, whoever has set it. */
struct lb_bytes lb_xfrm_get_policy(const struct lb_xfrm_policy *policy, uint32_t seq,
                                   struct lb_span room);
/* Takes it away. */
struct lb_bytes lb_xfrm_del_policy(const struct lb_xfrm_policy *policy, uint32_t seq,
                                   struct lb_span room);

/* What becomes of packets that no policy is for, also while there are no policies: they are blocked
 * in both directions, or let through. What is forwarded stays as it is. Linux 5.15. */
struct lb_bytes lb_xfrm_set_default(bool blocks, uint32_t seq, struct lb_span room);
/* Asks which of the two it is. */
struct lb_bytes lb_xfrm_get_default(uint32_t seq, struct lb_span room);

/* What the kernel says to the request seq. */
struct lb_xfrm_answer {
    bool is_over;     /* it was carried out, or refused */
    int refused;      /* 0, or an errno */
    bool has_sa;      /* what follows is of lb_xfrm_get_sa's SA */
    uint32_t spi;     /* as lb_ipsec_terms has it */
    uint64_t packets; /* so many under its key */
    bool has_policy;  /* what follows is of lb_xfrm_get_policy's policy */
    uint32_t priority;
    bool has_default, blocks; /* what follows is of lb_xfrm_get_default; both directions */
};
/* Reads messages of the kernel; what is not an answer to seq, or malformed, is passed over. */
struct lb_xfrm_answer lb_xfrm_read(struct lb_bytes messages, uint32_t seq);

/* What the kernel reports that nobody asked it for: somebody took policies or SAs away, whose ever
 * they are; SAs also end by themselves. */
struct lb_xfrm_taken {
    bool policies, sas;
};
/* Reads such reports; other messages are passed over. */
struct lb_xfrm_taken lb_xfrm_read_taken(struct lb_bytes messages);

#endif
