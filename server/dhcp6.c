#include "server/dhcp6.h"
#include "core/dhcp6/dhcp6_wire.h"
#include "os/linux/datagram.h"
#include "server/lookup.h"
#include "server/say.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>

#define REQUESTS_AT_ONCE 64  /* then others are served, too */
#define INTEL            343 /* the enterprise that PXE's and UEFI's vendor classes are of */

_Static_assert(LB_DHCP6_PACKET_MAX <= sizeof(((struct lb_outbox_letter *)0)->bytes),
               "an answer is longer than a letter");

/* ---- who asks ---- */

enum { DUID_LLT = 1, DUID_LL = 3, DUID_UUID = 4, ETHERNET = 1 };

static bool take_eui64(struct lb_addr from, uint8_t mac[6]) {
    const uint8_t *id = from.bytes + 8;
    if (!lb_addr_is_link_local(from) || from.family != LB_V6 || id[3] != 0xff || id[4] != 0xfe)
        return false;
    mac[0] = id[0] ^ 2;
    memcpy(mac + 1, id + 1, 2);
    memcpy(mac + 3, id + 5, 3);
    return lb_mac_is_set(mac);
}

struct lb_server_identity lb_server_identity(const struct lb_duid *duid, struct lb_addr from) {
    struct lb_server_identity who = {0};
    struct lb_rd rd = lb_rd(lb_bytes(duid->bytes, duid->len));
    bool has_mac = take_eui64(from, who.mac);
    uint16_t type = lb_rd_u16(&rd);
    if (type == DUID_UUID && rd.left == 16)
        lb_uuid_swap(lb_rd_rest(&rd).p, who.uuid);
    if ((type != DUID_LLT && type != DUID_LL) || lb_rd_u16(&rd) != ETHERNET || has_mac)
        return who;
    if (type == DUID_LLT)
        (void)lb_rd_u32(&rd); /* when it was made */
    if (rd.left == 6)
        memcpy(who.mac, lb_rd_rest(&rd).p, 6);
    return who;
}

/* A request on its way: the client's message, and how it came. */
struct asked {
    struct lb_server_net6 *net;      /* where its client is */
    struct lb_endpoint from;         /* the client */
    struct lb_endpoint to;           /* who brings the answer: the client itself, or its relay */
    bool was_unicast;                /* it came from the link, and not to a group */
    struct lb_bytes payload;         /* the client's message */
    struct lb_dhcp6_relayed relayed; /* count 0: it came from the link */
};

/* EDK2 puts the UUID into its DUID in the byte order of SMBIOS. */
static void mend_order(struct lb_server_machines *machines, uint8_t uuid[16]) {
    static const uint8_t no_mac[6] = {0};
    uint8_t other[16];
    lb_uuid_swap(uuid, other);
    if (lb_lookup_known(machines, no_mac, lb_bytes(other, sizeof other)) != NULL)
        memcpy(uuid, other, sizeof other);
}

static struct lb_server_machine *machine_of(struct lb_server_dhcp6 *dhcp,
                                            const struct lb_dhcp6_message *request,
                                            const struct asked *asked, bool is_boot,
                                            struct lb_server_identity *who) {
    static const uint8_t none[16] = {0};
    struct lb_duid duid = {.len = 0};
    (void)lb_dhcp6_find_duid(request->options, LB_OPT6_CLIENT_ID, &duid);
    *who = lb_server_identity(&duid, asked->from.addr);
    if (lb_mac_is_set(asked->relayed.mac)) /* RFC 6939: the relay has seen it */
        memcpy(who->mac, asked->relayed.mac, sizeof who->mac);
    bool has_uuid = memcmp(who->uuid, none, sizeof none) != 0;
    if (has_uuid)
        mend_order(dhcp->machines, who->uuid);
    return lb_server_machines_find(dhcp->machines, who->mac,
                                   lb_bytes(who->uuid, has_uuid ? sizeof who->uuid : 0), is_boot);
}

/* ---- an answer ---- */

/* Option 59 has one URL: the loader's for firmware, else the Root Path (RFC 5970 3.1). */
static struct lb_bytes url_of(const struct lb_server_dhcp6 *dhcp,
                              const struct lb_server_boot_file *boot,
                              const struct lb_server_machine *machine, struct lb_span room) {
    struct lb_text text = lb_text((char *)room.p, room.len);
    struct lb_addr here = dhcp->link->address6;
    if (boot->file == NULL)
        return lb_server_boot_root_path(machine, here, dhcp->settings->port, room);
    if (boot->requester == LB_REQUESTER_HTTP) {
        struct lb_endpoint at = {.addr = here, .port = (uint16_t)dhcp->settings->http_port};
        lb_text_add(&text, "http://%s/%s", lb_endpoint_text(at).s, boot->file);
    } else {
        lb_text_add(&text, "tftp://[%s]/%s", lb_addr_text(here).s, boot->file);
    }
    return lb_bytes(text.at, text.len);
}

/* UEFI 2.10 24.7.4: firmware that boots by HTTP takes an answer that has its own vendor class. */
static struct lb_bytes options_of(const struct lb_server_boot_file *boot, struct lb_span room) {
    static const char class[] = "HTTPClient";
    struct lb_wr wr = lb_wr(room);
    if (boot->file == NULL || boot->requester != LB_REQUESTER_HTTP)
        return lb_bytes(NULL, 0);
    size_t opened = lb_dhcp6_open(&wr, LB_OPT6_VENDOR_CLASS);
    lb_wr_u32(&wr, INTEL);
    lb_wr_u16(&wr, sizeof class - 1);
    lb_wr_bytes(&wr, lb_bytes_of_text(class));
    lb_dhcp6_close(&wr, opened);
    return lb_wr_done(&wr);
}

/* Sends what is durable by now. */
static void deliver(struct lb_server_dhcp6 *dhcp) {
    const struct lb_outbox_letter *letter;
    size_t dropped = 0;
    while ((letter = lb_outbox_next(&dhcp->outbox, dhcp->progress, &dropped)) != NULL) {
        lb_outbox_tell(letter);
        lb_udp_send(dhcp->source.fd, dhcp->link->index, letter->to,
                    lb_bytes(letter->bytes, letter->len));
    }
    lb_outbox_tell_dropped(dropped, "IPv6 addresses", dhcp->store, dhcp->settings);
}

void lb_server_dhcp6_kept(struct lb_server_dhcp6 *dhcp, struct lb_store_progress progress) {
    dhcp->progress = progress;
    deliver(dhcp);
}

/* Puts what the request has changed into the store. False: it cannot be kept now. */
static bool keep(struct lb_server_dhcp6 *dhcp, uint64_t now_us,
                 const struct lb_dhcp6_reply *reply) {
    for (size_t i = 0; i < reply->changed_count; i++) {
        struct lb_store_lease lease = lb_server_lease_of(reply->changed[i], now_us, time(NULL));
        uint64_t ticket = lb_server_store_put_lease(dhcp->store, &lease);
        if (ticket == 0)
            return false;
        dhcp->last_ticket = ticket;
    }
    return true;
}

/* A storm may have left no room in the store: it is seen again. */
void lb_server_dhcp6_seen(struct lb_server_dhcp6 *dhcp, uint64_t now_us, struct lb_addr address) {
    struct lb_server_net6 *net = lb_server_nets6_at(&dhcp->nets, address);
    struct lb_dhcp6_reply seen = {.changed_count = 0};
    if (net != NULL)
        seen.changed[0] = lb_dhcp6_server_seen(&net->server, now_us, address);
    if (seen.changed[0] != NULL) {
        seen.changed_count = 1;
        (void)keep(dhcp, now_us, &seen);
    }
}

/* Told of the first address of an exchange, and not of renewals. */
static void add_said(struct lb_text *text, const struct lb_dhcp6_reply *reply, uint8_t type,
                     const struct lb_server_boot_file *boot,
                     const struct lb_server_machine *machine) {
    bool begins = type == LB_DHCP6_SOLICIT || type == LB_DHCP6_REQUEST;
    if (begins && reply->changed_count > 0 && reply->changed[0]->leased)
        lb_server_boot_file_tell(text, boot, "DHCPv6", reply->changed[0]->address, machine);
}

/* The request gets no answer. Tells a person if the reason is that it has no authentication. */
static void say_silence(const struct lb_server_dhcp6 *dhcp, const struct lb_dhcp6_message *request,
                        const struct lb_server_machine *machine,
                        const struct lb_server_identity *identity) {
    struct lb_bytes option;
    struct lb_event event = {
        .kind = LB_EVENT_TROUBLE,
        .machine = machine != NULL ? machine->name : NULL,
        .mac = lb_mac_is_set(identity->mac) ? identity->mac : NULL,
        .hint = lb_server_dhcp_auth_hint,
    };
    if (request->type == LB_DHCP6_SOLICIT && dhcp->nets.list[0].server.config.require_auth &&
        !lb_dhcp6_find(request->options, LB_OPT6_AUTH, &option))
        lb_server_tell(&event,
                       "asks for an IPv6 address without a proof, and dhcp-auth is require");
}

/* The answer leaves when all that was changed before it is durable. */
static void post(struct lb_server_dhcp6 *dhcp, const struct asked *asked,
                 const struct lb_dhcp6_reply *reply, const struct lb_dhcp6_message *request,
                 const struct lb_server_boot_file *boot, const struct lb_server_machine *machine,
                 const struct lb_server_identity *identity) {
    struct lb_outbox_letter *letter = reply->bytes.len > 0 ? lb_outbox_add(&dhcp->outbox) : NULL;
    if (letter == NULL)
        return; /* it asks again */
    lb_outbox_fill(letter, asked->to, reply->bytes, identity->mac, boot, machine, dhcp->progress);
    if (reply->changed_count > 0) {
        letter->ticket = LB_MAX(letter->ticket, dhcp->last_ticket);
        letter->given = reply->changed[0]->address;
    }
    struct lb_text text = lb_text(letter->said, sizeof letter->said);
    add_said(&text, reply, request->type, boot, machine);
    deliver(dhcp);
}

/* RFC 8415 5: clients ask from a link-local address, which no router lets through; an answer to
 * another network could be asked for in somebody else's name. */
static bool is_of_link(const struct lb_server_dhcp6 *dhcp, struct lb_addr from) {
    return lb_addr_is_link_local(from) || lb_prefix_has(dhcp->link->network6, from);
}

/* A relay that no section knows, told once. */
static void say_relay(struct lb_server_dhcp6 *dhcp, struct lb_addr from, struct lb_addr at) {
    if (lb_addr_equal(from, dhcp->unknown_relay))
        return;
    dhcp->unknown_relay = from;
    lb_server_say("", "a DHCPv6 relay at %s asks for %s%s, which no [subnet] section has",
                  lb_addr_text(from).s, lb_addr_is_set(at) ? "the network of " : "a network",
                  lb_addr_is_set(at) ? lb_addr_text(at).s : "");
}

/* False: it is not for us. */
static bool take_off_relays(struct lb_server_dhcp6 *dhcp, const struct lb_udp_received *in,
                            struct asked *asked) {
    const char *why;
    struct lb_endpoint from = in->from;
    struct lb_bytes payload = in->payload;
    bool is_relayed = lb_dhcp6_is_relayed(payload);
    *asked = (struct asked){.net = &dhcp->nets.list[0], .from = from, .to = from};
    asked->payload = payload;
    asked->was_unicast = !is_relayed && !in->is_to_group;
    if (!is_relayed)
        return is_of_link(dhcp, from.addr);
    if (!lb_dhcp6_unwrap(payload, &asked->relayed, &why))
        return false;
    asked->net = lb_server_nets6_at(&dhcp->nets, asked->relayed.link);
    if (asked->net == NULL) {
        say_relay(dhcp, from.addr, asked->relayed.link);
        return false;
    }
    asked->payload = asked->relayed.message;
    asked->from.addr = asked->relayed.client;
    asked->to.port = LB_DHCP6_SERVER_PORT; /* RFC 8415 7.2: relays listen there */
    return true;
}

static void answer(struct lb_server_dhcp6 *dhcp, uint64_t now_us, const struct asked *asked) {
    uint8_t room[LB_DHCP6_PACKET_MAX], around[LB_DHCP6_PACKET_MAX];
    uint8_t options[64], url[LB_ROOTPATH_MAX];
    struct lb_dhcp6_message request;
    struct lb_server_identity who;
    const char *why;
    if (!lb_dhcp6_decode(asked->payload, &request, &why))
        return;
    struct lb_server_boot_file boot = lb_server_boot_file6(&request);
    bool begins = boot.requester != LB_REQUESTER_OTHER && request.type == LB_DHCP6_SOLICIT;
    struct lb_server_machine *machine = machine_of(dhcp, &request, asked, begins, &who);
    lb_server_boot_file_settle(&boot, dhcp->settings, dhcp->folder, machine);
    struct lb_dhcp6_server *server = &asked->net->server;
    struct lb_dhcp6_server_config *config = &server->config;
    config->requester = machine == NULL ? NULL : lb_server_net6_host(asked->net, machine->name);
    config->root_path = url_of(dhcp, &boot, machine, lb_span(url, sizeof url));
    config->options = options_of(&boot, lb_span(options, sizeof options));
    config->was_unicast = asked->was_unicast;
    struct lb_dhcp6_reply reply = lb_dhcp6_server_input(server, now_us, asked->from, asked->payload,
                                                        lb_span(room, sizeof room));
    config->root_path = config->options = lb_bytes(NULL, 0);
    config->requester = NULL;
    if (asked->relayed.count > 0)
        reply.bytes = lb_dhcp6_wrap(&asked->relayed, reply.bytes, lb_span(around, sizeof around));
    if (reply.bytes.len == 0)
        say_silence(dhcp, &request, machine, &who);
    else if (keep(dhcp, now_us, &reply)) /* else it is a storm: it asks again */
        post(dhcp, asked, &reply, &request, &boot, machine, &who);
}

void lb_server_dhcp6_ready(struct lb_server_dhcp6 *dhcp, uint64_t now_us) {
    uint8_t payload[LB_DHCP6_PACKET_MAX + LB_DHCP6_RELAYED_MAX + 1];
    struct lb_udp_received in;
    struct asked asked;
    for (unsigned i = 0; i < REQUESTS_AT_ONCE; i++) {
        if (!lb_udp_receive(dhcp->source.fd, lb_span(payload, sizeof payload), &in))
            return;
        if (take_off_relays(dhcp, &in, &asked))
            answer(dhcp, now_us, &asked);
    }
}

/* ---- begin and end ---- */

void lb_server_dhcp6_restore(struct lb_server_dhcp6 *dhcp, uint64_t now_us,
                             const struct lb_store_lease *lease) {
    lb_server_nets6_restore(&dhcp->nets, now_us, lease);
}

bool lb_server_dhcp6_reload(struct lb_server_dhcp6 *dhcp, uint64_t now_us,
                            struct lb_server_error *error) {
    struct lb_server_nets6 nets;
    if (!lb_server_nets6_open(&nets, dhcp->settings, dhcp->link, &dhcp->seen, error)) {
        lb_server_nets6_close(&nets);
        return false;
    }
    lb_server_nets6_move(&nets, &dhcp->nets, now_us);
    lb_server_nets6_close(&dhcp->nets);
    dhcp->nets = nets;
    return true;
}

static bool join(struct lb_server_dhcp6 *dhcp, const uint8_t group[16],
                 struct lb_server_error *error) {
    if (lb_server_link_join(dhcp->link, dhcp->source.fd, lb_addr_v6_bytes(group)))
        return true;
    return lb_server_fail(error, "see the reason", "DHCPv6: its group %s cannot be joined: %s",
                          lb_addr_text(lb_addr_v6_bytes(group)).s, strerror(errno));
}

static bool tell_groups(const struct lb_server_dhcp6 *dhcp, struct lb_server_error *error) {
    return lb_udp_tell_groups(dhcp->source.fd, LB_V6) ||
           lb_server_fail(error, "see the reason",
                          "DHCPv6: where requests were sent to is unknown: %s", strerror(errno));
}

bool lb_server_dhcp6_open(struct lb_server_dhcp6 *dhcp, int epoll,
                          const struct lb_server_settings *settings,
                          const struct lb_server_link *link, const struct lb_server_folder *folder,
                          struct lb_server_machines *machines, struct lb_server_store *store,
                          struct lb_server_error *error) {
    static const uint8_t all_agents[16] = {0xff, 2, [13] = 1, [15] = 2};  /* ff02::1:2 */
    static const uint8_t all_servers[16] = {0xff, 5, [13] = 1, [15] = 3}; /* ff05::1:3, of relays */
    *dhcp = (struct lb_server_dhcp6){
        .source = {.kind = LB_SOURCE_DHCP6, .fd = -1},
        .link = link,
        .folder = folder,
        .settings = settings,
        .machines = machines,
        .store = store,
    };
    if (!lb_outbox_open(&dhcp->outbox))
        return lb_server_fail(error, "", "there is no memory for answers of DHCPv6");
    if (!lb_server_nets6_open(&dhcp->nets, settings, link, &dhcp->seen, error))
        return false;
    dhcp->source.fd = lb_server_link_udp(link, LB_V6, true, LB_DHCP6_SERVER_PORT, error);
    return dhcp->source.fd >= 0 && tell_groups(dhcp, error) && join(dhcp, all_agents, error) &&
           join(dhcp, all_servers, error) && lb_server_watch(epoll, &dhcp->source, EPOLLIN);
}

void lb_server_dhcp6_close(struct lb_server_dhcp6 *dhcp) {
    lb_server_source_close(&dhcp->source);
    lb_outbox_close(&dhcp->outbox);
    lb_server_nets6_close(&dhcp->nets);
}
