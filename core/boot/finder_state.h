/* What the finder's files say to each other. */
#ifndef LB_BOOT_FINDER_STATE_H
#define LB_BOOT_FINDER_STATE_H

#include "core/boot/boot_report.h"
#include "core/boot/choice.h"
#include "core/boot/finder.h"

/* finder_note.c */
/* A service has ended. `whole` is its question and result, for the report; `in_short` is for the
 * error's facts, if nothing is found. */
void lb_finder_note(struct lb_finder *finder, uint64_t now_us, const char *whole,
                    const char *in_short);

/* finder_slp.c */
/* Asks in each family with an address; nothing where the plan does not let it. */
void lb_finder_slp_start(struct lb_finder *finder, uint64_t now_us);
/* A turn of each question. */
enum lb_turn lb_finder_slp_turn(struct lb_finder *finder, uint64_t now_us,
                                struct lb_boot_action *action);
/* Whether a question is being asked. */
bool lb_finder_slp_runs(const struct lb_finder *finder);
/* Ends all questions, and reports what was found. */
void lb_finder_slp_stop(struct lb_finder *finder, uint64_t now_us);
/* The question that has the TCP slot; NULL: none. */
struct lb_slp_client *lb_finder_slp_stream(struct lb_finder *finder);
/* The TCP connection has ended: it is free for another question. */
void lb_finder_slp_lost(struct lb_finder *finder, uint64_t now_us);
/* A datagram on the slot of a family, for the question that it answers. */
void lb_finder_slp_datagram(struct lb_finder *finder, uint64_t now_us, uint32_t slot,
                            struct lb_endpoint from, struct lb_bytes bytes);

/* finder_isns.c */
/* Lists the servers: those that a person named, else those of DHCP. The turns ask them in order. */
void lb_finder_isns_start(struct lb_finder *finder, uint64_t now_us);
/* Carries on with the server that is asked, or asks the next one. */
enum lb_turn lb_finder_isns_turn(struct lb_finder *finder, uint64_t now_us, bool has_candidate,
                                 struct lb_boot_action *action);
/* Whether a server is asked, looked up or still to be asked. */
bool lb_finder_isns_runs(const struct lb_finder *finder);
/* Ends all servers, and reports what was found. */
void lb_finder_isns_stop(struct lb_finder *finder, uint64_t now_us);
/* One more server to ask. Where the policy does not take its name, news says so: PASSED. */
void lb_finder_isns_add(struct lb_finder *finder, uint64_t now_us,
                        const struct lb_finder_isns_server *server);

/* finder_sendtargets.c */
/* Tells what is in the list, one in each turn; then logs out, and waits for the session's end. */
enum lb_turn lb_finder_list_turn(struct lb_finder *finder, uint64_t now_us);
/* Time is up: notes that no answer came. */
void lb_finder_list_stop(struct lb_finder *finder, uint64_t now_us);

#endif
