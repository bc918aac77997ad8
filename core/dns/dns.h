/* DNS: from a host name to its addresses. Start here.
 *
 * RFC 1034 and 1035 (the protocol), 3596 (AAAA), 5452 (forged answers), 7766 (TCP), 8305 section 3
 * (A beside AAAA). This is a stub resolver: it asks recursive servers and keeps no cache.
 *
 *   host                                 client
 *   lb_dns_client_init
 *   loop: lb_dns_client_poll        -->  SEND bytes, to | CONNECT to | CLOSE | WAIT
 *         lb_dns_client_input       <--  a datagram that came
 *         lb_dns_client_connected, _lost, _where, _got, _gather, _sent   (TCP, as in isns.h)
 *                                   -->  DONE or FAILED, once
 *
 * A and AAAA are asked at the same time. The first family that answers with an address waits
 * grace_ms for the other; then the lookup ends with what is there. So a server that never answers
 * AAAA costs 50 ms.
 *
 * A server that is silent for next_server_ms is not given up: the next server is asked as well, and
 * the first usable answer of any of them counts. A server that answers with a failure (SERVFAIL,
 * REFUSED and others) is not asked this question again.
 *
 * A name with a dot is tried as it is, then with each domain of the search list. A name without a
 * dot is tried with the search list first. A name that ends in a dot is tried as it is, alone. */
#ifndef LB_DNS_H
#define LB_DNS_H

#include "core/base/addr.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/trace.h"
#include "core/crypto/crypto.h"

#define LB_DNS_PORT 53 /* UDP and TCP: RFC 1035 4.2 */

/* Zero is the default everywhere. */
struct lb_dns_config {
    struct lb_endpoint servers[LB_DNS_MAX]; /* asked in this order; port 0: LB_DNS_PORT */
    size_t server_count;                    /* 0: the lookup fails at once */
    char search[LB_SEARCH_MAX + 1];         /* domains, separated by blanks; empty: none */
    enum lb_family family;                  /* ask for this family alone; NONE: both */
    uint32_t next_server_ms; /* how long one server is waited for alone; it doubles with each
                                round over all servers; 0: 400 */
    uint32_t grace_ms;       /* for the other family, after the first address; 0: 50 */
    uint32_t give_up_ms;     /* for the whole lookup; 0: 5000 */
};

enum lb_dns_event {
    LB_DNS_WAIT,    /* send what lb_dns_client_gather has; then nothing until until_us, or input */
    LB_DNS_SEND,    /* UDP: send `bytes` to `to`, from a port of the host's choice that nobody can
                       guess (RFC 5452 9.2); poll again */
    LB_DNS_CONNECT, /* open TCP to `to`; answer with connected or lost */
    LB_DNS_CLOSE,   /* close the connection (or the attempt), without an answer; poll again */
    LB_DNS_DONE,    /* once: lb_dns_client_addrs has at least one address */
    LB_DNS_FAILED,  /* once: see lb_dns_client_explain. Then WAIT until LB_NEVER, as after DONE */
};

struct lb_dns_action {
    enum lb_dns_event event;
    uint64_t until_us;
    struct lb_bytes bytes; /* valid until the next call */
    struct lb_endpoint to;
};

struct lb_dns_client; /* dns_client.h has its fields; a caller needs its size (about 8 KiB) */

/* Looks `name` up. rand (message ids) and trace stay the caller's and outlive the client; trace may
 * be NULL. config and name are copied. A name that cannot be a host name (empty, over 253 bytes, a
 * label over 63) ends in FAILED. */
void lb_dns_client_init(struct lb_dns_client *client, uint64_t now_us,
                        const struct lb_dns_config *config, const char *name, struct lb_rand *rand,
                        struct lb_trace *trace);
/* What the host is to do next. Polling too early or too often is harmless. */
struct lb_dns_action lb_dns_client_poll(struct lb_dns_client *client, uint64_t now_us);

/* A datagram came. False: it answers nothing that was asked, or is malformed; it is counted and
 * ignored. */
bool lb_dns_client_input(struct lb_dns_client *client, uint64_t now_us, struct lb_endpoint from,
                         struct lb_bytes datagram);

/* The connection of CONNECT is there. */
void lb_dns_client_connected(struct lb_dns_client *client, uint64_t now_us);
/* The connection failed or ended. */
void lb_dns_client_lost(struct lb_dns_client *client, uint64_t now_us);
/* Where the next received bytes belong; an empty span: do not read now. */
struct lb_span lb_dns_client_where(struct lb_dns_client *client);
/* So many bytes came. */
void lb_dns_client_got(struct lb_dns_client *client, uint64_t now_us, size_t len);
/* What to send, empty: nothing. Valid until the next call. */
struct lb_bytes lb_dns_client_gather(const struct lb_dns_client *client);
/* So many bytes of it were taken. */
void lb_dns_client_sent(struct lb_dns_client *client, uint64_t now_us, size_t len);

/* After DONE: the addresses, those of IPv6 first, each family in the order of the answer. They are
 * as the server said: the caller decides whether they may be used. The client's memory. */
const struct lb_addr *lb_dns_client_addrs(const struct lb_dns_client *client, size_t *count);
/* What was asked of whom and what came of it, in words: "storage.a.example, storage; asked
 * 192.0.2.53 (no answer), 192.0.2.54 (refused)". For the facts of an error. */
void lb_dns_client_explain(const struct lb_dns_client *client, struct lb_text *text);

/* ---- the machine's own hosts file ---- */

/* Finds a name in the text of a hosts(5) file: lines of "ADDRESS NAME NAME ...", `#` begins a
 * comment, names are compared without case. Gives how many addresses were written to addrs, at most
 * cap. A line that cannot be read is passed over. */
size_t lb_dns_hosts_find(struct lb_bytes file, const char *name, struct lb_addr *addrs, size_t cap);

#endif
