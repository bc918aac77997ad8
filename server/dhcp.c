#include "server/dhcp.h"
#include "core/dhcp4/dhcp4_wire.h"
#include "core/names/rootpath.h"
#include "os/linux/clock.h"
#include "os/linux/datagram.h"
#include "server/say.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS_AT_ONCE 64 /* then others are served, too */

/* ---- an answer ---- */

static bool is_proxy(const struct lb_server_dhcp *dhcp) {
    return dhcp->nets.list[0].server.config.proxy_only;
}

static void add_bytes(struct lb_wr *wr, uint8_t code, struct lb_bytes value) {
    lb_wr_u8(wr, code);
    lb_wr_u8(wr, (uint8_t)value.len);
    lb_wr_bytes(wr, value);
}

static void add_option(struct lb_wr *wr, uint8_t code, const char *value) {
    add_bytes(wr, code, lb_bytes_of_text(value));
}

/* The options that depend on who asks, in the form that the server half takes. */
static struct lb_bytes boot_options(const struct lb_server_dhcp *dhcp,
                                    const struct lb_server_boot_file *boot, struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    char url[200];
    if (boot->file == NULL)
        return lb_bytes(NULL, 0);
    if (boot->requester == LB_REQUESTER_HTTP) {
        lb_format(url, sizeof url, "http://%s:%u/%s", lb_addr_text(dhcp->link->address).s,
                  dhcp->settings->http_port, boot->file);
        add_option(&wr, LB_OPT_VENDOR_CLASS, "HTTPClient");
        add_option(&wr, LB_OPT_BOOTFILE, url);
    } else {
        if (is_proxy(dhcp)) /* PXE 2.1 table 2-5: the boot file is taken without asking on */
            add_bytes(&wr, LB_OPT_VENDOR_SPECIFIC, lb_bytes("\6\1\10\377", 4));
        add_option(&wr, LB_OPT_TFTP_SERVER, lb_addr_text(dhcp->link->address).s);
        add_option(&wr, LB_OPT_BOOTFILE, boot->file);
    }
    return lb_wr_done(&wr);
}

/* What the request says that its machine is called, fit for a terminal. */
static void add_host(struct lb_text *text, const struct lb_dhcp4_message *request) {
    struct lb_bytes name;
    if (lb_dhcp4_option(request, LB_OPT_HOSTNAME, &name))
        lb_text_untrusted(text, name);
}

/* Not of offers, nor of renewals. */
static void add_reply(struct lb_text *text, const struct lb_server_dhcp *dhcp,
                      const struct lb_dhcp4_reply *reply, const struct lb_dhcp4_message *request,
                      const struct lb_server_boot_file *boot,
                      const struct lb_server_machine *machine) {
    struct lb_addr none = {0};
    if (is_proxy(dhcp))
        lb_server_boot_file_tell(text, boot, "DHCP", none, machine);
    else if (reply->changed != NULL && reply->changed->leased &&
             lb_addr_is_zero(request->header.ciaddr))
        lb_server_boot_file_tell(text, boot, "DHCP", reply->changed->address, machine);
}

static void send_letter(const struct lb_server_dhcp *dhcp, const struct lb_outbox_letter *letter) {
    int fd = letter->is_boot ? dhcp->boot.fd : dhcp->source.fd;
    struct lb_bytes bytes = lb_bytes(letter->bytes, letter->len);
    lb_outbox_tell(letter);
    if (lb_mac_is_set(letter->to_mac)) {
        lb_server_link_send_frame(dhcp->link, dhcp->raw, letter->to_mac, LB_DHCP4_SERVER_PORT,
                                  letter->to, bytes);
        return;
    }
    lb_udp_send(fd, dhcp->link->index, letter->to, bytes);
}

/* ---- what is kept ---- */

/* Gives the ticket of what the request has changed; 0: it cannot be kept now. */
static uint64_t keep(struct lb_server_dhcp *dhcp, uint64_t now_us,
                     const struct lb_binding *binding) {
    struct lb_store_lease lease = lb_server_lease_of(binding, now_us, time(NULL));
    return lb_server_store_put_lease(dhcp->store, &lease);
}

/* One that is over is known still: its client gets the same. */
void lb_server_dhcp_restore(struct lb_server_dhcp *dhcp, uint64_t now_us,
                            const struct lb_store_lease *lease) {
    struct lb_dhcp4_kept kept = {
        .client = lb_bytes(lease->client, lease->client_len),
        .address = lease->address,
        .valid_s = lb_server_lease_left_s(lease, time(NULL)),
        .leased = lease->leased,
        .declined = lease->declined,
        .bootp = lease->bootp,
    };
    struct lb_server_net *net = lb_server_nets_at(&dhcp->nets, lease->address);
    if (net != NULL && !is_proxy(dhcp))
        (void)lb_dhcp4_server_restore(&net->server, now_us, &kept);
}

/* A storm may have left no room in the store: it is seen again. */
void lb_server_dhcp_seen(struct lb_server_dhcp *dhcp, uint64_t now_us, struct lb_addr address) {
    struct lb_server_net *net = lb_server_nets_at(&dhcp->nets, address);
    const struct lb_binding *binding =
        net == NULL ? NULL : lb_dhcp4_server_seen(&net->server, now_us, address);
    if (binding != NULL)
        (void)keep(dhcp, now_us, binding);
}

/* Sends what is durable by now. */
static void deliver(struct lb_server_dhcp *dhcp) {
    const struct lb_outbox_letter *letter;
    size_t dropped = 0;
    while ((letter = lb_outbox_next(&dhcp->outbox, dhcp->progress, &dropped)) != NULL)
        send_letter(dhcp, letter);
    lb_outbox_tell_dropped(dropped, "addresses", dhcp->store, dhcp->settings);
}

void lb_server_dhcp_kept(struct lb_server_dhcp *dhcp, struct lb_store_progress progress) {
    dhcp->progress = progress;
    deliver(dhcp);
}

/* Who it is: RFC 4578 2.3, a type of 0 and the UUID. */
static struct lb_server_machine *machine_of(struct lb_server_dhcp *dhcp,
                                            const struct lb_dhcp4_message *request, bool is_boot) {
    struct lb_bytes uuid;
    bool has_uuid =
        lb_dhcp4_option(request, LB_OPT_MACHINE, &uuid) && uuid.len == 17 && uuid.p[0] == 0;
    return lb_server_machines_find(dhcp->machines, request->header.chaddr,
                                   has_uuid ? lb_bytes_after(uuid, 1) : lb_bytes(NULL, 0), is_boot);
}

static bool is_request(const struct lb_dhcp4_message *request) {
    return request->header.op == LB_BOOTREQUEST && request->header.hlen == 6;
}

/* There is no address for it; or a proxy has nothing that a firmware could boot. */
static void say_silence(const struct lb_server_dhcp *dhcp, const struct lb_dhcp4_message *request,
                        const struct lb_dhcp4_reply *reply, const struct lb_server_boot_file *boot,
                        const struct lb_server_machine *machine) {
    struct lb_addr none = {0};
    struct lb_bytes option;
    char said[260];
    struct lb_text text = lb_text(said, sizeof said);
    struct lb_event event = {
        .kind = LB_EVENT_TROUBLE,
        .machine = machine != NULL ? machine->name : NULL,
        .mac = request->header.chaddr,
        .is_firmware = boot->requester != LB_REQUESTER_OTHER,
    };
    if (request->type != LB_DHCP4_DISCOVER)
        return;
    if (dhcp->nets.list[0].server.config.require_auth &&
        !lb_dhcp4_option(request, LB_OPT_AUTH, &option)) {
        event.hint = lb_server_dhcp_auth_hint;
        lb_server_tell(&event, "asks for an address without a proof, and dhcp-auth is require");
        return;
    }
    if (!is_proxy(dhcp) && !reply->is_full) {
        lb_server_tell(&event, "asks for an address, and gets no answer: %s",
                       reply->why != NULL ? reply->why : "it is not understood");
        return;
    }
    if (!is_proxy(dhcp)) {
        event.hint = "give more addresses: --dhcp-range=FIRST-LAST";
        lb_server_tell(&event, "asks for an address, and none is free");
        return;
    }
    if (boot->requester == LB_REQUESTER_OTHER)
        return;
    event.kind = LB_EVENT_ADDRESS;
    event.is_trouble = boot->missing != NULL;
    event.hint = event.is_trouble ? lb_server_boot_file_hint : NULL;
    lb_server_boot_file_tell(&text, boot, "DHCP", none, machine);
    lb_server_tell(&event, "%s", said);
}

/* The answer leaves when all that was changed before it is durable. */
static void post(struct lb_server_dhcp *dhcp, bool is_boot, const struct lb_dhcp4_reply *reply,
                 const struct lb_dhcp4_message *request, const struct lb_server_boot_file *boot,
                 const struct lb_server_machine *machine) {
    if (reply->bytes.len == 0) {
        say_silence(dhcp, request, reply, boot, machine);
        return;
    }
    struct lb_outbox_letter *letter = lb_outbox_add(&dhcp->outbox);
    if (letter == NULL)
        return; /* it asks again */
    lb_outbox_fill(letter, reply->to, reply->bytes, request->header.chaddr, boot, machine,
                   dhcp->progress);
    letter->is_boot = is_boot;
    memcpy(letter->to_mac, reply->to_mac, sizeof letter->to_mac);
    if (reply->changed != NULL) {
        letter->ticket = LB_MAX(letter->ticket, dhcp->last_ticket);
        letter->given = reply->changed->address;
    }
    struct lb_text host = lb_text(letter->host, sizeof letter->host);
    add_host(&host, request);
    struct lb_text text = lb_text(letter->said, sizeof letter->said);
    add_reply(&text, dhcp, reply, request, boot, machine);
    deliver(dhcp);
}

/* A relay that no section knows, told once. */
static void say_relay(struct lb_server_dhcp *dhcp, struct lb_addr at) {
    if (lb_addr_equal(at, dhcp->unknown_relay))
        return;
    dhcp->unknown_relay = at;
    lb_server_say("", "a DHCP relay asks for the network of %s, which no [subnet] section has",
                  lb_addr_text(at).s);
}

/* is_boot: it came to port 4011. */
static void answer(struct lb_server_dhcp *dhcp, uint64_t now_us, bool is_boot,
                   struct lb_endpoint from, struct lb_bytes payload) {
    uint8_t room[LB_DHCP4_PACKET_MAX], options[400], root_path[LB_ROOTPATH_MAX];
    struct lb_span answer = lb_span(room, sizeof room);
    struct lb_dhcp4_message request;
    struct lb_addr at;
    const char *why;
    if (!lb_dhcp4_decode(payload, &request, &why) || !is_request(&request) ||
        memcmp(request.header.chaddr, dhcp->link->mac, 6) == 0) /* our own question */
        return;
    struct lb_server_net *net = lb_server_nets_of(&dhcp->nets, &request, &at);
    if (net == NULL) {
        say_relay(dhcp, at);
        return;
    }
    struct lb_server_boot_file boot = lb_server_boot_file(&request);
    bool begins = boot.requester != LB_REQUESTER_OTHER && request.type == LB_DHCP4_DISCOVER;
    struct lb_server_machine *machine = machine_of(dhcp, &request, begins);
    lb_server_boot_file_settle(&boot, dhcp->settings, dhcp->folder, machine);
    struct lb_dhcp4_server_config *config = &net->server.config;
    config->options = boot_options(dhcp, &boot, lb_span(options, sizeof options));
    config->root_path = lb_server_boot_root_path(machine, dhcp->link->address, dhcp->settings->port,
                                                 lb_span(root_path, sizeof root_path));
    struct lb_dhcp4_reply reply =
        is_boot ? lb_dhcp4_server_input_boot(&net->server, now_us, from, payload, answer)
                : lb_dhcp4_server_input(&net->server, now_us, from, payload, answer);
    config->options = config->root_path = lb_bytes(NULL, 0);
    if (reply.changed != NULL) {
        uint64_t ticket = keep(dhcp, now_us, reply.changed);
        if (ticket == 0)
            return; /* a storm: it asks again */
        dhcp->last_ticket = ticket;
    }
    post(dhcp, is_boot, &reply, &request, &boot, machine);
}

static void receive(struct lb_server_dhcp *dhcp, uint64_t now_us,
                    const struct lb_server_source *source) {
    uint8_t payload[LB_DHCP4_PACKET_MAX + 1];
    for (unsigned i = 0; source->fd >= 0 && i < REQUESTS_AT_ONCE; i++) {
        struct lb_udp_received in;
        if (!lb_udp_receive(source->fd, lb_span(payload, sizeof payload), &in))
            return;
        answer(dhcp, now_us, source == &dhcp->boot, in.from, in.payload);
    }
}

void lb_server_dhcp_ready(struct lb_server_dhcp *dhcp, uint64_t now_us) {
    receive(dhcp, now_us, &dhcp->source);
    receive(dhcp, now_us, &dhcp->boot);
}

/* ---- begin and end ---- */

static bool open_sockets(struct lb_server_dhcp *dhcp, int epoll, struct lb_server_error *error) {
    const struct lb_server_link *link = dhcp->link;
    dhcp->raw = lb_server_link_raw(link, error);
    dhcp->source.fd =
        dhcp->raw < 0 ? -1 : lb_server_link_udp(link, LB_V4, true, LB_DHCP4_SERVER_PORT, error);
    if (dhcp->source.fd < 0 || !lb_server_watch(epoll, &dhcp->source, EPOLLIN))
        return false;
    if (!is_proxy(dhcp))
        return true;
    dhcp->boot.fd = lb_server_link_udp(link, LB_V4, true, LB_DHCP4_BOOT_PORT, error);
    return dhcp->boot.fd >= 0 && lb_server_watch(epoll, &dhcp->boot, EPOLLIN);
}

bool lb_server_dhcp_reload(struct lb_server_dhcp *dhcp, uint64_t now_us,
                           struct lb_server_error *error) {
    struct lb_server_nets nets;
    if (!lb_server_nets_open(&nets, dhcp->settings, dhcp->link, &dhcp->seen, error)) {
        lb_server_nets_close(&nets);
        return false;
    }
    lb_server_nets_move(&nets, &dhcp->nets, now_us);
    lb_server_nets_close(&dhcp->nets);
    dhcp->nets = nets;
    return true;
}

bool lb_server_dhcp_open(struct lb_server_dhcp *dhcp, int epoll,
                         const struct lb_server_settings *settings,
                         const struct lb_server_link *link, const struct lb_server_folder *folder,
                         struct lb_server_machines *machines, struct lb_server_store *store,
                         struct lb_server_error *error) {
    *dhcp = (struct lb_server_dhcp){
        .source = {.kind = LB_SOURCE_DHCP, .fd = -1},
        .boot = {.kind = LB_SOURCE_DHCP, .fd = -1},
        .raw = -1,
        .link = link,
        .folder = folder,
        .settings = settings,
        .machines = machines,
        .store = store,
    };
    if (!lb_outbox_open(&dhcp->outbox))
        return lb_server_fail(error, "", "there is no memory for answers of DHCP");
    return lb_server_nets_open(&dhcp->nets, settings, link, &dhcp->seen, error) &&
           open_sockets(dhcp, epoll, error);
}

void lb_server_dhcp_close(struct lb_server_dhcp *dhcp) {
    lb_server_source_close(&dhcp->source);
    lb_server_source_close(&dhcp->boot);
    if (dhcp->raw >= 0)
        close(dhcp->raw);
    dhcp->raw = -1;
    lb_outbox_close(&dhcp->outbox);
    lb_server_nets_close(&dhcp->nets);
}
