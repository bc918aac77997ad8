/* The iSNS server half: a pure machine over the caller's tables, for tests, the simulator and a
 * boot server. RFC 4171.
 *
 * It answers DevAttrReg, DevAttrQry and DevDereg; anything else is "message not supported". Nodes
 * see what shares an enabled Discovery Domain with them, and themselves; a control node sees all.
 * Domains and their boot lists are made by the owner, not over the wire.
 *
 *   lb_isns_server_init; lb_isns_server_add_... for what is fixed
 *   UDP: a datagram is a message, lb_isns_server_input(message) -> the bytes of the answer
 *   TCP: an lb_isns_connection each, over a stream that is cut anywhere */
#ifndef LB_ISNS_SERVER_H
#define LB_ISNS_SERVER_H

#include "core/base/siphash.h"
#include "core/isns/isns_wire.h"

#define LB_ISNS_ENTITY_MAX         63 /* bytes of an entity identifier that we keep */
#define LB_ISNS_BUCKETS            4096
#define LB_ISNS_NONE               UINT32_MAX /* no place in a table */
#define LB_ISNS_REQUEST_ATTRIBUTES 64         /* of one request: a node with a dozen portals */
#define LB_ISNS_REQUEST_VALUES     4096
#define LB_ISNS_CONNECTION_BYTES                                                                   \
    16384 /* of requests: what a node with all its portals needs, four times */

struct lb_isns_entity {
    char id[LB_ISNS_ENTITY_MAX + 1]; /* empty: free */
    uint64_t until_us;               /* LB_NEVER: not by registration */
};

struct lb_isns_node {
    char name[LB_NAME_MAX + 1]; /* normalised; empty: free */
    char alias[64];
    uint32_t type; /* enum lb_isns_node_type, or-ed */
    uint32_t entity;
    bool is_public; /* everyone sees it, whatever the domains are */
    uint32_t next;  /* of the same hash */
};

/* Of an entity: all of its nodes are reached through it, unless a group says otherwise. */
struct lb_isns_node_portal {
    struct lb_endpoint at; /* family none: free */
    bool is_udp;
    uint32_t security; /* 0: not given */
    uint32_t entity;
};

/* A node at a portal with another portal group tag than 1. */
struct lb_isns_group {
    uint32_t node, portal;
    uint32_t tag;
    bool is_null; /* the portal is not to be used for this node */
};

struct lb_isns_dd {
    uint32_t id; /* not 0 */
    char name[64];
    uint32_t features; /* LB_ISNS_BOOT_LIST */
    bool is_disabled;
    uint32_t first, last; /* members, in the order of their coming */
    bool is_mine;         /* of the source of the request under way */
};

struct lb_isns_member {
    char name[LB_NAME_MAX + 1];
    uint32_t domain;
    uint32_t next;           /* of the same hash */
    uint32_t next_in_domain; /* LB_ISNS_NONE: the last */
};

/* The caller's memory; counts are the server's. */
struct lb_isns_tables {
    struct lb_isns_entity *entities;
    struct lb_isns_node *nodes;
    struct lb_isns_node_portal *portals;
    struct lb_isns_group *groups;
    struct lb_isns_dd *domains;
    struct lb_isns_member *members;
    size_t entity_cap, node_cap, portal_cap, group_cap, domain_cap, member_cap;
    size_t entity_count, node_count, portal_count, group_count, domain_count, member_count;
};

struct lb_isns_server_config {
    bool knows_registered_only; /* others are told "source unknown" */
    bool no_domains;            /* every node sees every other */
    bool is_closed;             /* nobody registers anything: "source unauthorized" */
    bool keeps_fixed;           /* what the owner added is not changed by requests: entities whose
                                   time is LB_NEVER, their nodes and portals */
    bool says_no_such_entry;    /* where nothing matches, as open-isns does; else an empty answer */
    uint32_t period_s;          /* of a registration; 0: 3600 */
    size_t pdu_max;             /* payload of a PDU, a multiple of 4; 0: LB_ISNS_PDU_MAX */
    struct lb_hash_key hash_key; /* a secret of the host: peers choose what is hashed */
    struct lb_trace *trace;      /* may be NULL */
};

struct lb_isns_server {
    struct lb_isns_server_config config;
    struct lb_isns_tables tables;
    uint32_t node_buckets[LB_ISNS_BUCKETS], member_buckets[LB_ISNS_BUCKETS];
    uint64_t requests;
    unsigned assigned; /* entity identifiers made so far */
    /* The request under way. */
    char source[LB_NAME_MAX + 1];
    struct lb_isns_attribute attributes[LB_ISNS_REQUEST_ATTRIBUTES];
    size_t attribute_count, delimiter; /* delimiter: its place */
    size_t values_len;
    uint8_t values[LB_ISNS_REQUEST_VALUES];
};

/* An empty database. config and tables are copied; the arrays of the tables stay the caller's, and
 * outlive the server. */
void lb_isns_server_init(struct lb_isns_server *server, const struct lb_isns_server_config *config,
                         const struct lb_isns_tables *tables);

/* What is fixed. Each gives the place in its table, or LB_ISNS_NONE where there is no room or the
 * name is not valid. */
uint32_t lb_isns_server_add_entity(struct lb_isns_server *server, const char *id,
                                   uint64_t until_us);
/* Adds or renews a node of an entity, by its iSCSI name; alias may be NULL. Gives its index;
 * LB_ISNS_NONE: the name is none, or there is no room. */
uint32_t lb_isns_server_add_node(struct lb_isns_server *server, uint32_t entity, const char *name,
                                 uint32_t type, const char *alias);
/* Everyone sees this node, until it is renewed. node: its index; LB_ISNS_NONE is harmless. */
void lb_isns_server_publish(struct lb_isns_server *server, uint32_t node);
/* Adds a portal to an entity. One that is there goes over to the entity. Gives its index;
 * LB_ISNS_NONE: at is no address, or there is no room. */
uint32_t lb_isns_server_add_portal(struct lb_isns_server *server, uint32_t entity,
                                   struct lb_endpoint at);
/* Adds a portal group of a node and a portal, or gives it a new tag; is_null: the node
 * is not reached by this portal. LB_ISNS_NONE: no room. */
uint32_t lb_isns_server_add_group(struct lb_isns_server *server, uint32_t node, uint32_t portal,
                                  uint32_t tag, bool is_null);
/* Adds a discovery domain. id must not be 0; LB_ISNS_NONE: it is, or there is no room. */
uint32_t lb_isns_server_add_domain(struct lb_isns_server *server, uint32_t id, const char *name,
                                   uint32_t features);
/* Makes a name a member of a domain, whether or not its node is registered. LB_ISNS_NONE: no room,
 * or it is no name. */
uint32_t lb_isns_server_add_member(struct lb_isns_server *server, uint32_t domain,
                                   const char *name);
/* The place of a node, or LB_ISNS_NONE. */
uint32_t lb_isns_server_find_node(const struct lb_isns_server *server, const char *name);

/* The length of the message that the stream begins with; 0: it is not complete; SIZE_MAX: this is
 * no iSNS. */
size_t lb_isns_message_len(struct lb_bytes stream);
/* Answers one message, in room. Empty: it is none that is answered, or the answer does not fit. */
struct lb_bytes lb_isns_server_input(struct lb_isns_server *server, uint64_t now_us,
                                     struct lb_bytes message, struct lb_span room);

/* One TCP connection. Memory for answers is lent by the caller while a request is there. */
struct lb_isns_connection {
    bool is_over;     /* close it when nothing is left to send: no iSNS came, or too much */
    bool has_request; /* a whole one waits: lend memory where it has none, then gather */
    /* The rest is its own. */
    struct lb_span memory;
    size_t answer_len, sent, request_len;
    uint8_t request[LB_ISNS_CONNECTION_BYTES];
};

/* A new connection, before its first byte. */
void lb_isns_connection_init(struct lb_isns_connection *connection);
/* Lends memory for answers, when it has none; what does not fit there is not answered. It stays the
 * caller's, who leaves it alone until it is taken back. */
void lb_isns_connection_lend(struct lb_isns_connection *connection, struct lb_span memory);
/* Gives back what was lent; empty: an answer is under way, or there is none. */
struct lb_span lb_isns_connection_take_back(struct lb_isns_connection *connection);
/* Where received bytes go; empty: a request must be answered first. */
struct lb_span lb_isns_connection_where(struct lb_isns_connection *connection);
/* len bytes came, and were written there. */
void lb_isns_connection_got(struct lb_isns_connection *connection, size_t len);
/* What is to be sent, maybe nothing; ask again after sent. Answers the next request when nothing is
 * left to send. */
struct lb_bytes lb_isns_connection_gather(struct lb_isns_connection *connection, uint64_t now_us,
                                          struct lb_isns_server *server);
/* The first len bytes of them were sent. */
void lb_isns_connection_sent(struct lb_isns_connection *connection, size_t len);

#endif
