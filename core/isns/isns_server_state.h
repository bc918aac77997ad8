/* What the parts of the iSNS server share: isns_tables.c, isns_server.c (requests), isns_query.c
 * (DevAttrQry). Not for others. */
#ifndef LB_ISNS_SERVER_STATE_H
#define LB_ISNS_SERVER_STATE_H

#include "core/isns/isns_server.h"

/* ---- isns_tables.c ---- */

/* The index of the entity with this identifier; LB_ISNS_NONE: none. */
uint32_t lb_isns_find_entity(const struct lb_isns_server *server, const char *id);
/* Removes a node with its portal groups; its memberships stay. */
void lb_isns_remove_node(struct lb_isns_server *server, uint32_t node);
/* With its nodes and portals. */
void lb_isns_remove_entity(struct lb_isns_server *server, uint32_t entity);
/* Registrations that nobody renewed. */
void lb_isns_expire(struct lb_isns_server *server, uint64_t now_us);
/* Sets is_mine of each domain: enabled, and name is a member. */
void lb_isns_mark_domains(struct lb_isns_server *server, const char *name);
/* Whether a name is in one of those. */
bool lb_isns_shares_domain(const struct lb_isns_server *server, const char *name);

/* ---- isns_query.c ---- */

/* Answers the query in server->attributes. Gives the status; where it is not OK nothing counts that
 * was put. Call with writer NULL first: then nothing is put. */
uint32_t lb_isns_query(struct lb_isns_server *server, struct lb_isns_writer *writer);

#endif
