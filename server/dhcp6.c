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
                                            struct lb_addr from, bool is_boot,
                                            struct lb_server_identity *who) {
    static const uint8_t none[16] = {0};
    struct lb_duid duid = {.len = 0};
    (void)lb_dhcp6_find_duid(request->options, LB_OPT6_CLIENT_ID, &duid);
    *who = lb_server_identity(&duid, from);
    bool has_uuid = memcmp(who->uuid, none, sizeof none) != 0;
    if (has_uuid)
        mend_order(dhcp->machines, who->uuid);
    return lb_server_machines_find(dhcp->machines, who->mac,
                                   lb_bytes(who->uuid, has_uuid ? sizeof who->uuid : 0), is_boot);
}

/* The entry with its own address. */
static const struct lb_dhcp6_host *host_of(struct lb_server_dhcp6 *dhcp,
                                           const struct lb_server_machine *machine) {
    if (machine == NULL || dhcp->server.config.host_count == 0)
        return NULL;
    struct lb_bytes name = lb_bytes_of_text(machine->name);
    uint32_t at = lb_index_first(&dhcp->index, LB_INDEX_NAME, name);
    while (at != LB_INDEX_NONE && !lb_text_is(name, dhcp->names[at]))
        at = lb_index_next(&dhcp->index, LB_INDEX_NAME, at);
    return at != LB_INDEX_NONE ? &dhcp->hosts[at] : NULL;
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
    if (request->type == LB_DHCP6_SOLICIT && dhcp->server.config.require_auth &&
        !lb_dhcp6_find(request->options, LB_OPT6_AUTH, &option))
        lb_server_tell(&event,
                       "asks for an IPv6 address without a proof, and dhcp-auth is require");
}

/* The answer leaves when all that was changed before it is durable. */
static void post(struct lb_server_dhcp6 *dhcp, struct lb_endpoint to,
                 const struct lb_dhcp6_reply *reply, const struct lb_dhcp6_message *request,
                 const struct lb_server_boot_file *boot, const struct lb_server_machine *machine,
                 const struct lb_server_identity *identity) {
    struct lb_outbox_letter *letter = reply->bytes.len > 0 ? lb_outbox_add(&dhcp->outbox) : NULL;
    if (letter == NULL)
        return; /* it asks again */
    lb_outbox_fill(letter, to, reply->bytes, identity->mac, boot, machine, dhcp->progress);
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

static void answer(struct lb_server_dhcp6 *dhcp, uint64_t now_us, struct lb_endpoint from,
                   struct lb_bytes payload) {
    uint8_t room[LB_DHCP6_PACKET_MAX], options[64], url[LB_ROOTPATH_MAX];
    struct lb_dhcp6_message request;
    struct lb_server_identity who;
    const char *why;
    if (!is_of_link(dhcp, from.addr) || !lb_dhcp6_decode(payload, &request, &why))
        return;
    struct lb_server_boot_file boot = lb_server_boot_file6(&request);
    bool begins = boot.requester != LB_REQUESTER_OTHER && request.type == LB_DHCP6_SOLICIT;
    struct lb_server_machine *machine = machine_of(dhcp, &request, from.addr, begins, &who);
    lb_server_boot_file_settle(&boot, dhcp->settings, dhcp->files, machine);
    struct lb_dhcp6_server_config *config = &dhcp->server.config;
    config->requester = host_of(dhcp, machine);
    config->root_path = url_of(dhcp, &boot, machine, lb_span(url, sizeof url));
    config->options = options_of(&boot, lb_span(options, sizeof options));
    struct lb_dhcp6_reply reply =
        lb_dhcp6_server_input(&dhcp->server, now_us, from, payload, lb_span(room, sizeof room));
    config->root_path = config->options = lb_bytes(NULL, 0);
    config->requester = NULL;
    if (reply.bytes.len == 0)
        say_silence(dhcp, &request, machine, &who);
    else if (keep(dhcp, now_us, &reply)) /* else it is a storm: it asks again */
        post(dhcp, from, &reply, &request, &boot, machine, &who);
}

void lb_server_dhcp6_ready(struct lb_server_dhcp6 *dhcp, uint64_t now_us) {
    uint8_t payload[LB_DHCP6_PACKET_MAX + 1];
    struct lb_udp_received in;
    for (unsigned i = 0; i < REQUESTS_AT_ONCE; i++) {
        if (!lb_udp_receive(dhcp->source.fd, lb_span(payload, sizeof payload), &in))
            return;
        answer(dhcp, now_us, in.from, in.payload);
    }
}

/* ---- begin and end ---- */

/* The machines that have an address of their own here; the DUID is what most of them say. Gives
 * their count. */
static size_t list_hosts(struct lb_server_dhcp6 *dhcp) {
    const struct lb_server_settings *settings = dhcp->settings;
    size_t count = 0;
    for (size_t i = 0; i < settings->machine_count; i++) {
        const struct lb_server_machine_settings *machine = &settings->machines[i];
        if (!lb_prefix_has(dhcp->link->network6, machine->address6))
            continue;
        memcpy(dhcp->names[count], machine->name, sizeof machine->name);
        lb_index_add(&dhcp->index, LB_INDEX_NAME, lb_bytes_of_text(machine->name), (uint32_t)count);
        dhcp->hosts[count].address = machine->address6;
        if (lb_mac_is_set(machine->mac)) {
            dhcp->hosts[count++].duid = lb_duid_ll(machine->mac);
        } else {
            uint8_t uuid[16];
            lb_uuid_swap(machine->uuid, uuid);
            dhcp->hosts[count++].duid = lb_duid_uuid(uuid);
        }
    }
    return count;
}

static bool choose_range(const struct lb_server_dhcp6 *dhcp, struct lb_server_range *range,
                         struct lb_server_error *error) {
    const struct lb_server_link *link = dhcp->link;
    *range = dhcp->settings->dhcp6_range;
    if (dhcp->settings->dhcp6 != LB_SERVER_DHCP6_SERVER)
        return true;
    if (!lb_addr_is_set(range->first))
        *range = lb_server_link_range6(link, LB_SERVER_BINDINGS6 / 4);
    if (!lb_addr_is_set(range->first))
        return lb_server_fail(error, "give dhcp6-range = FIRST-LAST",
                              "the network %s is too small to choose addresses of it",
                              lb_prefix_text(link->network6).s);
    if (!lb_prefix_has(link->network6, range->first) || !lb_prefix_has(link->network6, range->last))
        return lb_server_fail(error, "give addresses of that network, as FIRST-LAST",
                              "dhcp6-range is not within %s, the network of %s",
                              lb_prefix_text(link->network6).s, link->name);
    return true;
}

static bool begin(struct lb_server_dhcp6 *dhcp, struct lb_server_error *error) {
    const struct lb_server_settings *settings = dhcp->settings;
    struct lb_bytes keys = lb_bytes_of_text(settings->dhcp_keys.text);
    struct lb_server_range range;
    dhcp->index = (struct lb_index){.cap = 0};
    dhcp->hosts = calloc(LB_SERVER_SECTIONS_MAX, sizeof *dhcp->hosts);
    dhcp->names = calloc(LB_SERVER_SECTIONS_MAX, sizeof *dhcp->names);
    dhcp->bindings = calloc(LB_SERVER_BINDINGS6, sizeof *dhcp->bindings);
    if (dhcp->hosts == NULL || dhcp->names == NULL || dhcp->bindings == NULL ||
        !lb_index_open(&dhcp->index, LB_SERVER_SECTIONS_MAX))
        return lb_server_fail(error, "", "there is no memory for IPv6 addresses");
    if (!choose_range(dhcp, &range, error))
        return false;
    struct lb_dhcp6_server_config config = {
        .duid = lb_duid_ll(dhcp->link->mac),
        .network = dhcp->link->network6,
        .first = range.first,
        .last = range.last,
        .dns = {settings->dns6},
        .dns_count = lb_addr_is_set(settings->dns6),
        .preferred_s = settings->lease_s,
        .valid_s = settings->lease_s,
        .stateless = settings->dhcp6 == LB_SERVER_DHCP6_STATELESS,
        .rapid_commit = true,
        .hosts = dhcp->hosts,
        .host_count = list_hosts(dhcp),
    };
    if (lb_dhcp_keys_have(keys, true)) {
        config.keys = keys;
        config.require_auth = settings->dhcp_auth == LB_DHCP_AUTH_REQUIRE;
        config.replay = (uint64_t)time(NULL) << 32; /* RFC 3315 21.3: later after a restart */
        config.seen = &dhcp->seen;
    }
    if (getrandom(&config.hash_key, sizeof config.hash_key, 0) != sizeof config.hash_key)
        return lb_server_fail(error, "", "the kernel gives no random numbers: %s", strerror(errno));
    lb_dhcp6_server_init(&dhcp->server, &config, dhcp->bindings, LB_SERVER_BINDINGS6);
    return true;
}

static void free_tables(struct lb_server_dhcp6 *dhcp) {
    lb_index_close(&dhcp->index);
    free(dhcp->hosts);
    free(dhcp->names);
    free(dhcp->bindings);
    dhcp->hosts = NULL;
    dhcp->names = NULL;
    dhcp->bindings = NULL;
}

/* One that is over is known still: its client gets the same. */
void lb_server_dhcp6_restore(struct lb_server_dhcp6 *dhcp, uint64_t now_us,
                             const struct lb_store_lease *lease) {
    struct lb_dhcp6_kept kept = {
        .client = lb_bytes(lease->client, lease->client_len),
        .address = lease->address,
        .valid_s = lb_server_lease_left_s(lease, time(NULL)),
        .leased = lease->leased,
        .declined = lease->declined,
    };
    if (lb_prefix_has(dhcp->link->network6, lease->address))
        (void)lb_dhcp6_server_restore(&dhcp->server, now_us, &kept);
}

bool lb_server_dhcp6_reload(struct lb_server_dhcp6 *dhcp, uint64_t now_us,
                            struct lb_server_error *error) {
    struct lb_server_dhcp6 before = *dhcp;
    if (!begin(dhcp, error)) {
        free_tables(dhcp);
        *dhcp = before;
        return false;
    }
    for (uint32_t i = 0; i < before.server.table.used; i++) {
        const struct lb_binding *binding = &before.bindings[i];
        struct lb_store_lease lease = lb_server_lease_of(binding, now_us, time(NULL));
        lb_server_dhcp6_restore(dhcp, now_us, &lease);
    }
    free_tables(&before);
    return true;
}

bool lb_server_dhcp6_open(struct lb_server_dhcp6 *dhcp, int epoll,
                          const struct lb_server_settings *settings,
                          const struct lb_server_link *link, const struct lb_server_files *files,
                          struct lb_server_machines *machines, struct lb_server_store *store,
                          struct lb_server_error *error) {
    static const uint8_t all_servers[16] = {0xff, 2, [13] = 1, [15] = 2}; /* ff02::1:2 */
    *dhcp = (struct lb_server_dhcp6){
        .source = {.kind = LB_SOURCE_DHCP6, .fd = -1},
        .link = link,
        .files = files,
        .settings = settings,
        .machines = machines,
        .store = store,
    };
    if (!lb_outbox_open(&dhcp->outbox))
        return lb_server_fail(error, "", "there is no memory for answers of DHCPv6");
    if (!begin(dhcp, error))
        return false;
    dhcp->source.fd = lb_server_link_udp(link, LB_V6, true, LB_DHCP6_SERVER_PORT, error);
    if (dhcp->source.fd < 0)
        return false;
    if (!lb_server_link_join(link, dhcp->source.fd, lb_addr_v6_bytes(all_servers)))
        return lb_server_fail(error, "see the reason", "DHCPv6: its group cannot be joined: %s",
                              strerror(errno));
    return lb_server_watch(epoll, &dhcp->source, EPOLLIN);
}

void lb_server_dhcp6_close(struct lb_server_dhcp6 *dhcp) {
    lb_server_source_close(&dhcp->source);
    lb_outbox_close(&dhcp->outbox);
    free_tables(dhcp);
}
