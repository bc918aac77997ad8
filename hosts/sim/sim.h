/* One run of the simulator: a whole boot in a world drawn from a seed. Start here.
 *
 *   world    clock, events, dice, trace            plan      what the seed means
 *   link     datagrams, probes, the link           services  who answers datagrams and connections
 *   slots    the engine's slots                    dhcp      the DHCP servers
 *   ipv6     routers, the servers of DHCPv6    slp       the agents of SLP
 *   stream   TCP as pipes                          network   names, connections of the engine
 *   targets  iSCSI targets and their storage       disk      what is on it, and what was
 *   isns     the iSNS server
 *   swap     another disk in its place
 *   workload the disk's user                       check     what must never be
 *   witness  what the session says and hears       causes    nothing is lost without a cause
 *   gate     IPsec's other end             tunnel    protected packets, and a witness on the wire
 *   rogue    servers that name what cannot be had
 *   forger   an enemy who knows iSCSI              impostor  one who guesses datagrams
 *   run      the engine's host, and the run as a whole
 *
 * All parts share struct sim, and each writes to its own part of it. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "core/boot/boot_state.h"
#include "core/boot/pump.h"
#include "core/ike/ike_wire.h"
#include "core/isns/isns_server.h"
#include "core/slp/slp_server.h"
#include "core/slp/slp_wire.h"
#include "core/target/target_rooms.h"
#include "hosts/sim/disk.h"
#include "hosts/sim/stream.h"
#include "hosts/sim/witness.h"
#include "hosts/sim/world.h"

enum {
    SIM_CONNS = 32, /* ends of connections that exist at once */
    SIM_PORTALS = 2,
    SIM_DHCP_SERVERS = 3, /* two that give addresses, one proxy */
    SIM_DHCP6_SERVERS = 2,
    SIM_ROUTERS = 2,
    SIM_AGENTS = 3,
    SIM_AGENT_SERVICES = 4,
    SIM_CASTS = 64,
    SIM_IMPOSTOR_ROUTER = 99, /* instead of a router's number */
    SIM_CLAIMS = 64,          /* IPv6 addresses that the client has probed */
    SIM_BINDINGS = 64,
    SIM_ROGUE_BINDINGS = 10,
    SIM_OPS_MAX = 32, /* requests to the disk at once */
    SIM_OP_BYTES = 1 << 18,
    SIM_GUARD = 64,
    SIM_KEPT = 16, /* buffers that are watched for a while after their request was done */
    SIM_IOS = 1024,
    SIM_SECRETS = 6,
    SIM_GATES = 8,
    SIM_ASSOCIATIONS = 3, /* of a gate: one in use, one that is being made, one more */
    SIM_GATE_PAIRS = 4,
    SIM_SEALED = 48,    /* packets that an enemy remembers */
    SIM_RECORDED = 16,  /* and messages of IKE */
    SIM_COUNTERS = 512, /* keys whose numbers are watched */
    SIM_KEYS = 64,
    SIM_KEY_BYTES = 8, /* of a key: what is shown of it at the most, before it is noticed */
    SIM_RX_BYTES = 65536,
    SIM_TRACE_BYTES = 65536,
};

/* ---- plan ------------------------------------------------------------------------------------ */

/* A target that is not there yet, as after a power cut. */
enum sim_late {
    SIM_LATE_NOT,
    SIM_LATE_REFUSES, /* nothing listens */
    SIM_LATE_NAME,    /* its name is not known yet: login status 0203 */
    SIM_LATE_LUN,     /* no device at the LUN yet: peripheral qualifier 3 */
    SIM_LATE_READY,   /* NOT READY, becoming ready */
};

enum sim_isns_use {
    SIM_ISNS_NONE,
    SIM_ISNS_BY_NAME, /* the Root Path has no server */
    SIM_ISNS_BY_LIST, /* there is no Root Path */
};

enum sim_ipsec_wrong {
    SIM_IPSEC_WELL,
    SIM_IPSEC_KEY,    /* the gate has another key */
    SIM_IPSEC_ID,     /* or another identity */
    SIM_IPSEC_SILENT, /* nobody does IKE */
    SIM_IPSEC_MODE,   /* tunnel, where transport is asked for, or the other way round */
    SIM_IPSEC_WRONGS, /* are drawn; the others take the place of one */
    SIM_IPSEC_NARROW = SIM_IPSEC_WRONGS, /* its selectors leave out what the client needs */
    SIM_IPSEC_WRONGS_ALL,
};

struct sim_plan {
    enum sim_wrong wrong;
    bool has_ipsec;       /* the client is to protect connections to the disk */
    bool ipsec_all;       /* and those of discovery */
    bool ipsec_transport; /* mode */
    enum sim_ipsec_wrong ipsec_wrong;
    bool gate_p256, gate_cookie;
    uint32_t gate_rekey_s, gate_rekey_ike_s; /* 0: seldom */
    bool is_clean, is_hostile;
    bool has_rogue; /* servers that name what cannot be had answer before the good ones */
    bool has_allow_server, has_allow_target;
    bool has_impostor;  /* somebody guesses at what was asked, and answers first */
    uint64_t stop_us;   /* somebody stops it then; LB_NEVER: when the disk's user is done */
    bool must_boot;     /* nothing is in the way once the faults have stopped */
    bool uses_address;  /* the address is configured: no DHCP */
    bool uses_rootpath; /* the root path is configured */
    bool uses_network;  /* the machine's own network: no link, no DHCP */
    bool is_probe;      /* a dry run */
    bool uses_name, dead_address, uses_v6;
    bool two_servers, proxy, bootp, rapid, overload, authoritative;
    bool chap, mutual;
    uint32_t lease_s;
    /* The network's families, and what there is of IPv6. */
    bool net4, net6, has_ipv6; /* the last: the machine knows it */
    unsigned routers;
    bool managed, other, also_slaac, short_ra;
    bool root4, root6, plain_url; /* who names the disk; plain_url: who does not, names another's */
    bool no_probe;
    uint32_t lease6_s;
    /* The root path names no server: SLP finds it. */
    bool by_slp, slp_directory, slp_option, slp_mandatory;
    unsigned agents;
    enum sim_isns_use isns;
    bool isns_by_dhcp; /* option 83 names the server; else the configuration */
    bool isns_dead_portal;
    enum sim_late late;
    uint64_t late_until_us;
    uint8_t silent;    /* commands that the target never answers: enum lb_target_silence */
    uint32_t redirect; /* 0: none; else a login status */
    /* The disk's user: one flush in so many requests, of the others so many per cent writes. */
    uint32_t ops, depth, pause_us, flush_in, writes;
    char root_path[160];
    size_t root_path_len;
};

#define SIM_TARGET_NAME "iqn.2026-11.net.example:disk"
#define SIM_DISK_NAME   "disk.example.net"
#define SIM_INITIATOR   "iqn.2026-11.net.example:client"
#define SIM_PSK         "the-shared-key-of-ike-Wd5"
#define SIM_PSK_WRONG   "the-key-of-another-one-Tm6"
#define SIM_CLIENT_ID   "client.example"
#define SIM_GATE_ID     "gate.example"

/* ---- targets --------------------------------------------------------------------------------- */

struct sim_portal {
    struct lb_endpoint at;
    struct lb_addr other; /* of the other family, in a name beside `at`; none: there is none */
    struct lb_target node;
    struct lb_scsi_unit lun; /* its LUN 0 */
    struct lb_target_faults faults;
    struct lb_target_server server;
    bool is_down, is_silent;
    uint64_t silent_until_us;
};

/* An io of a target that waits for its answer, and the memory given for it. */
struct sim_io {
    bool in_use, is_asked; /* is_asked: not answered yet */
    bool is_forgotten;     /* it is answered only when its task is aborted */
    bool is_other;         /* of another disk than was booted */
    unsigned conn;
    uint32_t ticket; /* of the event that answers it */
    struct lb_target_io *io;
    uint8_t *memory;
    size_t len;
};

/* ---- the impostor ---------------------------------------------------------------------------- */

struct sim_impostor {
    struct lb_dhcp4_server dhcp;
    struct lb_binding bindings[1];
    struct lb_dhcp6_server dhcp6;
    struct lb_binding bindings6[1];
    uint16_t slp_xids[16]; /* of the last requests that it saw */
    unsigned slp_requests;
};

/* ---- rogue servers --------------------------------------------------------------------------- */

struct sim_rogue {
    struct lb_dhcp4_server dhcp;
    struct lb_binding bindings[SIM_ROGUE_BINDINGS];
    struct lb_dhcp6_server dhcp6;
    struct lb_binding bindings6[SIM_ROGUE_BINDINGS];
};

/* ---- the iSNS server ------------------------------------------------------------------------- */

#define SIM_ISNS_ROWS 12 /* of each of its tables */

struct sim_isns_conn {
    uint8_t in[4096], out[16384];
    size_t in_len, out_len, out_at;
    uint64_t late_until_us; /* nothing is sent before */
    bool closes;            /* when all was sent */
};

struct sim_isns {
    struct lb_isns_server server;
    struct lb_isns_entity entities[SIM_ISNS_ROWS];
    struct lb_isns_node nodes[SIM_ISNS_ROWS];
    struct lb_isns_node_portal portals[SIM_ISNS_ROWS];
    struct lb_isns_dd domains[SIM_ISNS_ROWS];
    struct lb_isns_member members[SIM_ISNS_ROWS];
    struct sim_isns_conn conns[SIM_CONNS];
};

/* ---- another disk in its place --------------------------------------------------------------- */

#define SIM_SWAP_VERSION UINT32_MAX /* of all its blocks */

struct sim_swap {
    bool is_on;
    bool is_second[SIM_PORTALS]; /* the LUN of this portal is the second disk now */
    bool booted_second;
    uint32_t first_blocks, second_blocks;
    uint64_t throws;
    unsigned changes[SIM_PORTALS]; /* so far */
    unsigned seen[SIM_CONNS];      /* those before the connection was made */
    bool is_second_task[SIM_CONNS][LB_TARGET_TASKS];
};

/* ---- IPsec ----------------------------------------------------------------------------------- */

struct sim_association {
    bool in_use, is_up;
    uint32_t slot; /* of the client, that it came from */
    uint64_t wake_us, idle_until_us;
    struct lb_ike ike;
    struct lb_ipsec pairs[SIM_GATE_PAIRS]; /* the newest is the last */
    size_t pair_count;
};

struct sim_gate {
    struct lb_addr addr;
    uint64_t down_until_us; /* its machine starts again */
    struct sim_association associations[SIM_ASSOCIATIONS];
};

/* A protected packet as the wire saw it. */
struct sim_sealed {
    bool is_up, was_taken;
    struct lb_addr gate;
    uint32_t serial;
    size_t len;
    uint8_t bytes[1600];
};

struct sim_packet {
    enum lb_boot_kind kind;
    struct lb_endpoint from, to;
};

/* A message of IKE as the wire saw it; `to` set: to a gate. */
struct sim_recorded {
    uint32_t slot;
    struct sim_packet packet;
    size_t len;
    uint8_t bytes[600];
};

/* The numbers under one key: the last one, and digests of the last messages. */
struct sim_counter {
    uint64_t name, number, digests[64];
};

struct sim_shield {
    struct lb_rand rand; /* of the gates */
    struct sim_gate gates[SIM_GATES];
    unsigned gate_count;
    struct sim_sealed sealed[SIM_SEALED];
    size_t sealed_next;
    struct sim_recorded recorded[SIM_RECORDED];
    size_t recorded_next;
    struct sim_counter counters[SIM_COUNTERS];
    size_t counter_count;
    char keys[SIM_KEYS][2 * SIM_KEY_BYTES + 1]; /* as hexadecimal digits */
    size_t key_count;
    uint8_t room[2048];
};

/* ---- the disk's user ------------------------------------------------------------------------- */

struct sim_op {
    struct lb_disk_op op; /* first */
    bool in_use, is_out;  /* out: submitted, and not completed */
    uint32_t version;     /* of a write */
    uint64_t submit_us, order;
    uint8_t *memory; /* guard, buffer, guard */
    size_t len;
    uint64_t *must; /* a flush: for each block, the change that has to be durable */
};

/* A buffer after its request was done: nobody may touch it any more. */
struct sim_kept {
    uint8_t *memory;
    size_t len;
    uint32_t sum;
};

struct sim_work {
    bool is_running, is_over;
    uint32_t submitted, completed, failed;
    struct sim_op ops[SIM_OPS_MAX];
    uint32_t out;
    uint32_t versions;             /* given out so far */
    uint8_t *version_state;        /* per version: enum sim_version */
    uint64_t must[SIM_BLOCKS_MAX]; /* last change by a write that was completed */
    struct sim_kept kept[SIM_KEPT];
    size_t kept_next;
    uint64_t next_us; /* the user pauses until then */
};

enum sim_version { SIM_VERSION_NONE, SIM_VERSION_OUT, SIM_VERSION_DONE, SIM_VERSION_FAILED };

/* ---- agents of SLP --------------------------------------------------------------------------- */

struct sim_agent {
    struct lb_slp_server servers[2]; /* of IPv4 and of IPv6 */
    struct lb_slp_registration services[SIM_AGENT_SERVICES];
    /* The last answer to a multicast: one that does not look for itself in the list of responders
     * gives it again. */
    uint8_t said[LB_SLP_MTU];
    size_t said_len;
    struct {
        char url[160], attributes[160];
    } text[SIM_AGENT_SERVICES];
    size_t count;
};

/* A question by multicast, in its rounds, and who has answered it. */
struct sim_cast {
    uint16_t xid;
    enum lb_family family;
    uint32_t attempt; /* a later one may draw the same XID */
    uint32_t rounds;
    unsigned heard; /* a bit an agent */
    bool is_new;    /* somebody in this round who was not heard before */
};

/* ---- slots and datagrams --------------------------------------------------------------------- */

#define SIM_PIECES 16 /* of one write */

/* Behind a slot; the pump knows what it is open for. */
struct sim_slot {
    enum lb_boot_kind kind;  /* of datagrams */
    struct lb_endpoint from; /* UDP: what it is bound to */
    int conn;                /* of a stream: index into conns; -1: none any more */
};

/* ---- the run --------------------------------------------------------------------------------- */

struct sim {
    struct sim_world world;
    struct sim_plan plan;
    struct lb_config config;
    struct lb_boot boot;
    uint8_t *rx; /* with guards */
    char *ring;
    struct sim_disk disk;

    /* The client's machine. */
    bool link_up, address_set, has_net;
    struct lb_boot_net net; /* as it is configured, or about to be */
    uint64_t net_us;        /* since when: lifetimes count from there */
    struct lb_addr claims[SIM_CLAIMS];
    size_t claim_count;
    unsigned probes; /* that have no answer yet */
    struct lb_pump pump;
    struct lb_bytes pieces[SIM_PIECES];
    struct sim_slot slots[LB_BOOT_SLOTS_MAX];
    struct lb_boot_machine machine; /* it knows the DNS server */

    /* The network. */
    struct lb_dhcp4_server dhcp[SIM_DHCP_SERVERS];
    struct lb_binding bindings[SIM_DHCP_SERVERS][SIM_BINDINGS];
    bool has_dhcp[SIM_DHCP_SERVERS];
    uint64_t leased_us; /* when server 0 last gave a lease; 0: never */
    struct lb_nd6_ra routers[SIM_ROUTERS];
    struct lb_dhcp6_server dhcp6[SIM_DHCP6_SERVERS];
    struct lb_binding bindings6[SIM_DHCP6_SERVERS][SIM_BINDINGS];
    bool has_dhcp6[SIM_DHCP6_SERVERS];
    struct sim_impostor impostor;
    struct sim_rogue rogue;
    struct sim_agent agents[SIM_AGENTS];
    struct sim_cast casts[SIM_CASTS];
    size_t cast_count;
    struct sim_portal portals[SIM_PORTALS];
    struct sim_isns isns;
    struct sim_conn conns[SIM_CONNS];
    struct lb_target_conn *ends[SIM_CONNS]; /* the targets' ends */
    struct lb_target_rooms *end_rooms[SIM_CONNS];
    struct lb_slp_connection *agent_ends[SIM_CONNS];
    uint32_t conn_numbers;
    struct sim_io ios[SIM_IOS];
    uint32_t tickets;
    bool is_hung;         /* the logical unit forgets all commands until it is reset */
    uint32_t hung_resets; /* how many resets there had been when it began to hang */
    struct lb_rand target_rand;
    struct lb_target_account account;
    const char *initiators[1];

    struct sim_shield shield;
    struct sim_swap swap;
    struct sim_work work;
    struct sim_witness witness;

    /* What became of it. */
    bool is_ready, is_failed, is_out, is_stuck, stop_told, stop_seen, has_offers;
    bool has_protest;              /* the engine complained of the target's protocol */
    uint64_t moved;                /* counts what went through the pipes */
    uint64_t away_until_us;        /* the host does nothing before */
    uint64_t late_for_us, late_us; /* the deadline that the host is late for, and by how much */
    uint64_t ready_us, stop_told_us;
    bool is_early;                /* stopped before the disk's user was done */
    struct lb_boot_action action; /* the last WAIT */
    uint64_t steps;
    const char *secrets[SIM_SECRETS];
    size_t secret_count;
    struct sim_coverage coverage;
};

/* Whose functions lb_host_* are; core/boot/pump.h says what each does. */
static inline struct sim *sim_of(struct lb_host *host) {
    return (struct sim *)(void *)host;
}

/* ---- plan.c ---- */
/* Draws from the seed what this run is like: network, servers, configuration and faults. */
void sim_plan_draw(struct sim *sim);
const char *sim_plan_server(const struct sim *sim); /* the targets' host, as in a root path */

/* ---- slots.c ---- */
/* Carries out OPEN; a slot that is open already is a violation. */
/* An action names a slot that it may use so. */
void sim_slot_check(struct sim *sim, const struct lb_boot_action *action);
/* No slot is open; a connection that has ended counts as closed. */
bool sim_slots_are_closed(const struct sim *sim);

/* ---- services.c: who is there ---- */
/* A datagram of the client's has arrived; answers go by sim_link_reply. */
void sim_service_datagram(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                          struct lb_bytes bytes);
/* Who listens for connections at this endpoint, and which of that service's. */
enum sim_service sim_service_at(const struct sim *sim, struct lb_endpoint to, unsigned *portal);
/* Whether it refuses connections now. */
bool sim_service_is_down(const struct sim *sim, const struct sim_conn *conn);
/* The server's end of this connection is made. */
void sim_service_accept(struct sim *sim, unsigned conn);
void sim_service_end(struct sim *sim, unsigned conn); /* the server's end is gone */
void sim_service_turn(struct sim *sim);               /* all that can be done at this instant */
/* When a server has something to do that no event announces; LB_NEVER: nothing. */
uint64_t sim_service_next_us(const struct sim *sim);

/* ---- link.c: the client's side of the wire ---- */
/* Sends a datagram of the client: it may arrive late, twice, altered or not at all. */
void sim_link_send(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                   struct lb_bytes bytes);
/* A datagram on its way to the client's slot. */
void sim_link_reply(struct sim *sim, uint32_t slot, enum lb_boot_kind kind, uint64_t delay_us,
                    struct lb_endpoint from, struct lb_bytes bytes);
/* As sim_link_reply, but within milliseconds and without faults: for forgers on the link. */
void sim_link_reply_at_once(struct sim *sim, uint32_t slot, enum lb_boot_kind kind,
                            struct lb_endpoint from, struct lb_bytes bytes);
/* Carries out an event of the link. */
void sim_link_event(struct sim *sim, const struct sim_event *event);

/* ---- dhcp.c ---- */
void sim_dhcp_init(struct sim *sim);              /* makes the DHCP servers of the plan */
struct lb_addr sim_dhcp_address(unsigned server); /* a server's address; it counts from 0 */
/* A datagram for port 67 has arrived; each server that it is for answers. */
void sim_dhcp_input(struct sim *sim, uint32_t slot, struct lb_endpoint to, struct lb_bytes bytes);

/* A violation when half of the lease is over and it is not renewed; in clean runs. */
void sim_dhcp_check_renewal(struct sim *sim);

/* A root path that was never meant well; in `room` or constant. */
struct lb_bytes sim_dhcp_lie(struct sim *sim, uint8_t room[300]);

/* ---- ipv6.c: routers and DHCPv6 ---- */
void sim_ipv6_init(struct sim *sim); /* makes the routers and the DHCPv6 servers of the plan */
/* A router's link-local address; it counts from 0. */
struct lb_addr sim_ipv6_router(unsigned router);
void sim_ipv6_advertise(struct sim *sim, unsigned router); /* unasked, at its time */
/* A Router Solicitation has arrived; each router advertises. */
void sim_ipv6_solicited(struct sim *sim, struct lb_addr from, struct lb_bytes bytes);
/* A datagram for port 547 has arrived; each server answers. */
void sim_dhcp6_input(struct sim *sim, uint32_t slot, struct lb_endpoint from,
                     struct lb_bytes bytes);
/* The probe of addr has ended; without a conflict the address is the client's. */
void sim_ipv6_probed(struct sim *sim, struct lb_addr addr, bool conflict);
bool sim_ipv6_has(const struct sim *sim, struct lb_addr addr); /* it is the client's */
bool sim_ipv6_has_link_local(const struct sim *sim); /* the client has a link-local address */
void sim_ipv6_check(struct sim *sim, const struct lb_boot_net *net); /* what SET_ADDRESS asks for */
/* A violation when an address is kept beyond its valid lifetime. */
void sim_ipv6_check_lifetimes(struct sim *sim);
/* Whether the client has an IPv6 address, and a route to there. */
bool sim_ipv6_reaches(const struct sim *sim, struct lb_addr to);

/* ---- slp.c: its agents ---- */
/* The agent's endpoint in this family; agents count from 0. */
struct lb_endpoint sim_slp_endpoint(enum lb_family family, unsigned agent);
void sim_slp_init(struct sim *sim, const char *host); /* host: where the disk is */
/* A datagram of SLP's has arrived; the agents that it is for answer. */
void sim_slp_datagram(struct sim *sim, uint32_t slot, struct lb_endpoint to, struct lb_bytes bytes);
/* A violation where the client sends what SLP forbids: port, group, rounds. */
void sim_slp_check(struct sim *sim, const struct lb_boot_action *action);
/* The client reads this reply: from now on its requests must name that agent as one that has
 * answered. */
void sim_slp_heard(struct sim *sim, struct lb_endpoint from, struct lb_bytes bytes);
/* Whether an agent listens at `to`, and which: 2 * agent, plus 1 for IPv6. */
bool sim_slp_is_at(const struct sim *sim, struct lb_endpoint to, unsigned *agent);
/* The agent's end of this connection is made. */
void sim_slp_accept(struct sim *sim, unsigned conn);
void sim_slp_end(struct sim *sim, unsigned conn); /* the agent closes its end */
/* All connections to agents, as far as they go at this instant. */
void sim_slp_turn(struct sim *sim);
void sim_slp_free(struct sim *sim); /* frees the agents' ends */

/* ---- names.c: the DNS server ---- */
void sim_names_init(struct sim *sim);   /* says which DNS server the machine itself knows */
bool sim_names_has_slot(uint32_t slot); /* a slot of DNS */
/* A query has arrived; it is answered, refused, or met with silence. */
void sim_names_datagram(struct sim *sim, uint32_t slot, struct lb_endpoint to,
                        struct lb_bytes bytes);

/* ---- network.c: connections ---- */
/* The client closes; unread bytes may turn that into a reset. */
void sim_network_close(struct sim *sim, uint32_t slot);
/* Carries out SIM_CONNECTED or SIM_SEVERED. */
void sim_network_event(struct sim *sim, const struct sim_event *event);
/* Reads once on each connection, and tells of those that have ended; true when anything came. */
bool sim_network_read(struct sim *sim);
/* The connection ends, abruptly, in the middle: each side hears of it or not. */
void sim_network_sever(struct sim *sim, struct sim_conn *conn, bool tells_client,
                       bool tells_server);

/* ---- targets.c ---- */
void sim_targets_init(struct sim *sim); /* makes the targets, their portals and accounts */
/* The target's end of this connection is made. */
void sim_targets_accept(struct sim *sim, unsigned conn);
void sim_targets_end(struct sim *sim, unsigned conn); /* the server's end is gone */
void sim_targets_turn(struct sim *sim);               /* all that can be done at this instant */
/* The earliest deadline of the targets' ends; LB_NEVER: none. */
uint64_t sim_targets_next_us(const struct sim *sim);
/* Draws which faults of the targets happen now, and sets the next tick. */
void sim_targets_tick(struct sim *sim);
/* Carries out an event of the targets. */
void sim_targets_event(struct sim *sim, const struct sim_event *event);
/* Whether the targets are not there yet in this way. */
bool sim_targets_are_late(const struct sim *sim, enum sim_late how);
void sim_targets_calm(struct sim *sim); /* faults stop: what is silent or hung goes on */
void sim_targets_free(struct sim *sim); /* ends and frees the targets' ends, and the connections */

/* ---- isns.c ---- */
void sim_isns_init(struct sim *sim);  /* fills the server's database by the plan */
struct lb_endpoint sim_isns_at(void); /* where the server listens */
/* The server's end of this connection is made. */
void sim_isns_accept(struct sim *sim, unsigned conn);
void sim_isns_end(struct sim *sim, unsigned conn); /* the server closes its end */
/* All connections to the server, as far as they go at this instant. */
void sim_isns_turn(struct sim *sim);
uint64_t sim_isns_next_us(const struct sim *sim); /* when a late answer is due; LB_NEVER: none */

/* ---- storage.c: what the targets ask of their disk ---- */
/* A target's io: checked, and answered now or by a later SIM_IO. RELEASE is done at once. */
void sim_storage_ask(struct sim *sim, unsigned conn, struct lb_target_io *io);
/* SIM_IO: answers the io, unless it was given up meanwhile. */
void sim_storage_event(struct sim *sim, const struct sim_event *event);
void sim_storage_turn(
    struct sim *sim); /* commands that were aborted let go of what they wait for */
void sim_storage_end(struct sim *sim, unsigned conn); /* a connection is gone, with its ios */

/* ---- swap.c: another disk in the place of the one that was booted ---- */
/* Draws whether there is another disk in this run, and how large it is. */
void sim_swap_init(struct sim *sim);
/* Now is a time at which the LUN of this portal may become the other disk. */
void sim_swap_maybe(struct sim *sim, unsigned portal, uint32_t one_in);
/* Notes which disk this connection was made to. */
void sim_swap_accepted(struct sim *sim, unsigned conn);
/* Whether this io is of another disk than was booted; asked once, when it comes. */
bool sim_swap_is_other(struct sim *sim, unsigned conn, const struct lb_target_io *io);
/* The contents of the other disk. */
void sim_swap_read(const struct sim *sim, const struct lb_target_io *io, uint8_t *to);
/* A write has reached the other disk: a violation where the engine could have known. */
void sim_swap_written(struct sim *sim, unsigned conn, const struct lb_target_io *io);
/* The size of the disk that was booted, or of the other one. */
uint64_t sim_swap_blocks(const struct sim *sim, bool is_other);
bool sim_swap_is_told(const struct sim *sim); /* the session has been told of all changes */
void sim_swap_ready(struct sim *sim);         /* which disk was booted */
/* DISK_CHANGED without another disk is a violation. */
void sim_swap_check_error(struct sim *sim, enum lb_code code);

/* ---- workload.c ---- */
void sim_work_begin(struct sim *sim); /* the disk is READY: its user starts */
/* Takes completions and submits more; true when something was done. */
bool sim_work_turn(struct sim *sim);
void sim_work_end(struct sim *sim);  /* the engine has ended: nothing may be out any more, and what
                                        is submitted now fails at once */
void sim_work_free(struct sim *sim); /* frees the requests' memory */

/* ---- check.c ---- */
/* Where the engine wants received bytes: its own memory, or the buffer of a read that is out. */
void sim_check_where(struct sim *sim, struct lb_span span);
/* What is to be sent must lie in the engine, or in the buffer of a write that is out. */
void sim_check_gather(struct sim *sim, struct lb_bytes piece);
/* A request has ended: its guards, its error, and for a read what was read. */
void sim_check_completion(struct sim *sim, struct sim_op *op);
/* A line that people see: no secrets, no control characters. */
void sim_check_line(struct sim *sim, const char *line);
/* Bytes that go out: no secrets among them. */
void sim_check_sent(struct sim *sim, struct lb_bytes bytes);
/* The report's steps are in order, and its pictures hold no secrets. */
void sim_check_report(struct sim *sim);
/* Nothing was written within SIM_GUARD bytes before and after these len bytes. */
void sim_check_guards(struct sim *sim, const uint8_t *memory, size_t len, const char *whose);
/* Why a target ended a connection; without an enemy, never because of what the initiator sent. */
void sim_check_reason(struct sim *sim, const char *reason);
/* The same for what the engine says of the target. */
void sim_check_session(struct sim *sim);
void sim_check_ready(struct sim *sim); /* in time */
/* At the end of a run: whether it ended as its plan allows. */
void sim_check_outcome(struct sim *sim);
uint8_t *sim_guarded(size_t len); /* memory with guards; the buffer begins SIM_GUARD bytes in */

/* ---- gate.c: IPsec's other end ---- */
void sim_gate_init(struct sim *sim);  /* where the plan has IPsec */
void sim_gate_free(struct sim *sim);  /* wipes its keys */
bool sim_gate_is_slot(uint32_t slot); /* a slot of IKE */
/* The gate before the server of this address; made when it is first asked for. NULL: nobody is
 * there. */
struct sim_gate *sim_gate_at(struct sim *sim, struct lb_addr addr);
/* A datagram of the client's for a gate has arrived. */
void sim_gate_datagram(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                       struct lb_bytes bytes);
/* One of a gate's comes to the client. */
void sim_gate_heard(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                    struct lb_bytes bytes);
void sim_gate_turn(struct sim *sim);              /* all that is due at this instant */
uint64_t sim_gate_next_us(const struct sim *sim); /* LB_NEVER: nothing will be due */
void sim_gate_tick(struct sim *sim); /* draws what befalls the gates, and the time of the next */

/* ---- tunnel.c: protected packets ---- */
/* Notes what must never be shown. */
void sim_tunnel_keys(struct sim *sim, const struct lb_ipsec_terms *terms, const uint8_t sk_d[32]);
void sim_tunnel_check_line(struct sim *sim, const char *line); /* a line without keys */
/* A message of IKE is sent; is_up: by the client. */
void sim_tunnel_ike(struct sim *sim, bool is_up, struct lb_bytes bytes);
/* A violation when a datagram of discovery is sent in clear that must not be. */
void sim_tunnel_check_datagram(struct sim *sim, const struct lb_boot_action *action);
/* A connection is asked for: a violation when it must be protected, and is not. */
void sim_tunnel_connect(struct sim *sim, struct sim_conn *conn,
                        const struct lb_boot_action *action);
/* Whether the first packets of a connection came through, one each way. */
bool sim_tunnel_greets(struct sim *sim, struct sim_conn *conn);
/* How many bytes of the pieces came through to the server, at most `most`; 0: not now. */
size_t sim_tunnel_up(struct sim *sim, struct sim_conn *conn, const struct lb_bytes *pieces,
                     size_t count, size_t most);
/* How many of those that lie in the pipe came through to the client; they stay in it. */
size_t sim_tunnel_down(struct sim *sim, struct sim_conn *conn, size_t most);
void sim_tunnel_event(struct sim *sim, const struct sim_event *event); /* a packet that is late */

/* ---- rogue.c ---- */
/* Makes a DHCP server that was not meant for this machine, where the plan has one. */
void sim_rogue_init(struct sim *sim);
/* The rogue servers answer a DHCP or DHCPv6 datagram of the client, too. */
void sim_rogue_datagram(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                        struct lb_bytes bytes);

/* ---- impostor.c ---- */
/* Makes the servers of an impostor on the link, who forges what others say. */
void sim_impostor_init(struct sim *sim);
/* The impostor sees a datagram of the client, and answers it with forgeries. */
void sim_impostor_datagram(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                           struct lb_bytes bytes);
/* The impostor forges a router advertisement, and sets the time of the next one. */
void sim_impostor_advertise(struct sim *sim);
/* The impostor answers an SLP request with its own target, and with a wrong XID. */
void sim_impostor_slp(struct sim *sim, uint32_t slot, enum lb_family family,
                      struct lb_bytes request);
/* Puts a forged portal into an iSNS answer of len bytes in room; gives the new length. */
size_t sim_impostor_isns(struct sim *sim, struct lb_span room, size_t len);
/* A connection to the impostor's address is a violation. */
void sim_impostor_check_connect(struct sim *sim, struct lb_addr to);
/* An address, or a lifetime, that only the impostor can have given is a violation. */
void sim_impostor_check_net(struct sim *sim, const struct lb_boot_net *net);

/* ---- witness.c: the client's session ---- */
/* Bytes of a PDU behind its header. */
size_t sim_wire_rest(const struct sim_wire *wire, const uint8_t bhs[LB_ISCSI_BHS_BYTES]);
/* The client connects: what was sent on the connection before is lost. */
void sim_witness_connect(struct sim *sim, uint32_t number);
void sim_witness_connected(struct sim *sim); /* the connection is there */
/* Bytes that the client sends, in order: each PDU is checked against what may be said now. */
void sim_witness_said(struct sim *sim, struct lb_bytes bytes);
/* Bytes that the client has read, in order. */
void sim_witness_heard(struct sim *sim, struct lb_bytes bytes);

/* ---- forger.c ---- */
/* Looks at what the client is about to read, and says how much of it may be read now. */
size_t sim_forger_passes(struct sim *sim, struct sim_conn *conn, size_t ready);
/* Before more is read or sent: a session that has read what was forged must be gone. */
void sim_forger_check(struct sim *sim, const struct sim_conn *conn);

/* ---- causes.c ---- */
/* The client sends a task management function: a violation unless a command was silent. */
void sim_cause_of_management(struct sim *sim, const struct lb_iscsi_pdu *pdu);
void sim_cause_of_poll(struct sim *sim);    /* before each poll of the engine */
void sim_cause_of_state(struct sim *sim);   /* after each poll of the engine */
void sim_cause_of_address(struct sim *sim); /* the client's address goes, or is another one */
void sim_cause_of_step(struct sim *sim);    /* after each step */

/* ---- run.c ---- */
struct sim_outcome {
    bool booted, is_clean, is_probe;
    unsigned violations;
    uint64_t hash;
    char violation[400];
    struct lb_error error; /* how it ended */
    enum sim_wrong wrong;
};
/* One seed, from power-on to the end. coverage is added to. */
struct sim_outcome sim_run(uint64_t seed, bool has_ipsec, bool shows,
                           struct sim_coverage *coverage);

#endif
