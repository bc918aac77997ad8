/* DNS messages: one question out, and the answers to it in. RFC 1035 section 4. */
#ifndef LB_DNS_WIRE_H
#define LB_DNS_WIRE_H

#include "core/base/addr.h"
#include "core/base/limits.h"

#define LB_DNS_NAME_MAX    253 /* bytes of a name as text: RFC 1035 2.3.4 */
#define LB_DNS_LABEL_MAX   63  /* RFC 1035 2.3.4 */
#define LB_DNS_QUERY_MAX   (12 + LB_DNS_NAME_MAX + 2 + 4) /* header, name, type and class */
#define LB_DNS_ALIASES_MAX 16 /* CNAMEs followed; a longer chain is a circle or a mistake */

enum lb_dns_type { /* RFC 1035 3.2.2, RFC 3596 2.1 */
                   LB_DNS_A = 1,
                   LB_DNS_CNAME = 5,
                   LB_DNS_AAAA = 28,
};

enum lb_dns_rcode { /* RFC 1035 4.1.1; others are failures of the server, too */
                    LB_DNS_NOERROR = 0,
                    LB_DNS_FORMERR = 1,
                    LB_DNS_SERVFAIL = 2,
                    LB_DNS_NXDOMAIN = 3,
                    LB_DNS_NOTIMP = 4,
                    LB_DNS_REFUSED = 5,
};

/* Whether text can be asked for: labels of 1 to 63 bytes, printable ASCII, no blank; a dot at the
 * end is allowed. */
bool lb_dns_name_is_valid(const char *name);

/* Writes a recursive query of class IN. Empty: the name is not valid, or does not fit into room
 * (LB_DNS_QUERY_MAX bytes always do). */
struct lb_bytes lb_dns_query_encode(uint16_t id, const char *name, enum lb_dns_type type,
                                    struct lb_span room);

/* A message that was taken apart as far as its question. */
struct lb_dns_message {
    struct lb_bytes whole; /* the caller's memory: compressed names point into it */
    uint16_t id;
    bool is_response, is_query_opcode, is_truncated;
    bool recursion_available, is_authoritative;
    unsigned rcode;                 /* 0 to 15 */
    char name[LB_DNS_NAME_MAX + 1]; /* of the question, without the dot at the end; empty: none */
    unsigned type, class_;          /* of the question; 0: none */
    unsigned answer_count;          /* as the header says */
    size_t answers_at;              /* offset of the answer section */
};

/* False for what is no message with one question; leaves *message. A server that fails may leave
 * the question out. */
bool lb_dns_decode(struct lb_bytes bytes, struct lb_dns_message *message);

/* What a response says of the question that it repeats. */
enum lb_dns_verdict {
    LB_DNS_FOUND,     /* addrs */
    LB_DNS_ALIAS,     /* the name is an alias of `alias`, about which nothing is said */
    LB_DNS_EMPTY,     /* the name has no address of this type */
    LB_DNS_NO_NAME,   /* there is no such name: RFC 8020, of no type */
    LB_DNS_CUT,       /* truncated: ask by TCP; addrs: those that are there */
    LB_DNS_NO_ANSWER, /* the server failed, refused, or is not recursive: ask another */
};

struct lb_dns_answer {
    enum lb_dns_verdict verdict;
    struct lb_addr addrs[LB_PORTALS_MAX]; /* more are left out */
    size_t addr_count;
    char alias[LB_DNS_NAME_MAX + 1];
};

/* Follows aliases within the message. A record that is malformed ends the reading: what stands
 * before it counts. */
void lb_dns_answer_read(const struct lb_dns_message *message, struct lb_dns_answer *answer);

/* Equal without regard to case and to a dot at the end. */
bool lb_dns_name_equal(const char *a, const char *b);

#endif
