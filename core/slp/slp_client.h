/* What the parts of the SLP client share: slp_client.c (who is asked, and when), slp_client_input.c
 * (replies by UDP), slp_client_found.c (URL entries), slp_client_tcp.c (replies by TCP). Not for
 * others. */
#ifndef LB_SLP_CLIENT_H
#define LB_SLP_CLIENT_H

#include "core/slp/slp_wire.h"

#define LB_SLP_LANGUAGE "en"

/* Our multicasts. */
enum lb_slp_cast {
    LB_SLP_FIND_AGENTS, /* who is a directory agent? */
    LB_SLP_FIND_SCOPES, /* which scopes are there? */
    LB_SLP_ASK_ALL,     /* the query, to service agents */
    LB_SLP_CASTS,
};

enum lb_slp_phase {
    LB_SLP_IDLE,
    LB_SLP_LEARNING, /* a directory agent is asked for its scopes */
    LB_SLP_ASKING,
    LB_SLP_BY_TCP, /* the request is too long for a datagram */
    LB_SLP_ANSWERED,
    LB_SLP_ENDED, /* of a multicast: its time is over; of an agent: it does not answer, or refuses
                   */
};

enum lb_slp_tcp_state {
    LB_SLP_TCP_NONE,
    LB_SLP_TCP_CONNECTING,
    LB_SLP_TCP_OPEN,
    LB_SLP_TCP_CLOSING, /* CLOSE is to be given out */
    LB_SLP_TCP_LOST,    /* what came is still handed out */
};

/* ---- slp_client.c ---- */

/* Counts and traces a message that is passed over; why is a constant. */
void lb_slp_client_ignore(struct lb_slp_client *client, uint64_t now_us, struct lb_addr from,
                          const char *why);
/* Until the first repetition: the configuration's value, or the default. */
uint32_t lb_slp_client_retry_ms(const struct lb_slp_client *client);
/* How long agents are asked at most: the configuration's value, or the default. */
uint32_t lb_slp_client_total_ms(const struct lb_slp_client *client);
/* Begins to ask a directory agent, unless it is known already. */
void lb_slp_client_add_agent(struct lb_slp_client *client, uint64_t now_us, struct lb_addr addr);
/* The agent's own answer: the query is asked, in its scopes. */
void lb_slp_client_ask_agent(struct lb_slp_client *client, uint64_t now_us,
                             struct lb_slp_exchange *agent);
/* An agent's exchange is over. */
void lb_slp_client_end_agent(struct lb_slp_client *client, uint64_t now_us,
                             struct lb_slp_exchange *agent, enum lb_slp_phase phase);
/* An agent refused. */
void lb_slp_client_refused(struct lb_slp_client *client, struct lb_addr by, uint16_t code);
/* Notes who answered a multicast; true when it is the first time. */
bool lb_slp_client_note(struct lb_slp_client *client, enum lb_slp_cast cast, struct lb_addr from);
/* The query as a message; an agent or, without one, everybody. By TCP without flags and responders.
 * Empty: does not fit. */
struct lb_bytes lb_slp_client_compose(struct lb_slp_client *client,
                                      const struct lb_slp_exchange *exchange, bool by_tcp,
                                      struct lb_span room);
/* The scopes that are asked for; an empty text: none known yet. */
void lb_slp_client_scopes(const struct lb_slp_client *client,
                          const struct lb_slp_exchange *exchange, struct lb_text *text);
/* A new transaction's id (RFC 2608 8), which no other transaction of this client has. Those of a
 * question for iSNS servers are odd, all others even: two clients may ask at once. */
uint16_t lb_slp_client_new_xid(const struct lb_slp_client *client);
/* The agent's exchange that has this id, or NULL. */
struct lb_slp_exchange *lb_slp_client_find(struct lb_slp_client *client, uint16_t xid,
                                           struct lb_addr agent);

/* ---- slp_client_found.c ---- */

/* Takes a URL entry: true when it is an answer to be handed out, in client->found. */
bool lb_slp_client_take(struct lb_slp_client *client, uint64_t now_us, struct lb_addr agent,
                        const struct lb_slp_entry *entry);
/* The next answer of the datagram at hand; false: there is none. */
bool lb_slp_client_next(struct lb_slp_client *client, uint64_t now_us);
/* The next answer whose portal group is known now, or will never be. */
bool lb_slp_client_next_attr(struct lb_slp_client *client, uint64_t now_us);
/* The next question for a portal group that is due; empty: none. */
struct lb_bytes lb_slp_client_ask_attr(struct lb_slp_client *client, uint64_t now_us,
                                       struct lb_addr *to);
/* An Attribute Reply of the agent `from`, for the question with this XID. */
void lb_slp_client_attr_reply(struct lb_slp_client *client, uint64_t now_us, struct lb_addr from,
                              uint16_t xid, struct lb_bytes body);
/* When a question for attributes is due; 0: one is ready; LB_NEVER: none. */
uint64_t lb_slp_client_attr_deadline(const struct lb_slp_client *client);
/* Nobody is asked any more: what waits is handed out as it is. */
void lb_slp_client_end_attrs(struct lb_slp_client *client);

/* ---- slp_client_tcp.c ---- */

/* The reply to this exchange shall be fetched by TCP. */
void lb_slp_client_want_tcp(struct lb_slp_client *client, struct lb_addr agent, uint16_t xid);
/* It came by UDP, cut short. An agent that answers as a directory agent and to the multicast as
 * well says the same both times, and is asked once. */
void lb_slp_client_overflowed(struct lb_slp_client *client, struct lb_addr agent, uint16_t xid);
/* What the connection needs: CONNECT, CLOSE, or FOUND; false: nothing now. */
bool lb_slp_client_poll_tcp(struct lb_slp_client *client, uint64_t now_us,
                            struct lb_slp_action *action);
/* No connection is used, and no reply waits for one. */
bool lb_slp_client_tcp_is_idle(const struct lb_slp_client *client);
/* When the connection is given up; LB_NEVER: there is none. */
uint64_t lb_slp_client_tcp_deadline(const struct lb_slp_client *client);
/* Those who wait for a connection get none. */
void lb_slp_client_drop_tcp(struct lb_slp_client *client);

#endif
