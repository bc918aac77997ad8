/* From a server's message to a lease: each option checked by itself, the malformed ones left
 * out. */
#include "core/dhcp4/dhcp4_wire.h"

#define MTU_MIN         68 /* RFC 2132 5.1 */
#define LEASE_DEFAULT_S 3600
#define LABEL_MAX       63
#define ROUTER_BYTES    4
#define ISNS_FIXED      10 /* RFC 4174 2: before the addresses */
#define ISNS_ENABLED    0x0001
#define ISNS_HEARTBEAT  0x0002

/* ---- text ---- */

static bool is_text(struct lb_bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] < 0x20 || text.p[i] == 0x7f)
            return false;
    }
    return text.len > 0 && lb_utf8_is_valid(text);
}

/* That an option is there and says nothing is told. */
static void leave_out(struct lb_dhcp4_lease *lease, uint8_t code) {
    for (size_t i = 0; i < lease->left_out_count; i++)
        if (lease->left_out[i] == code)
            return;
    if (lease->left_out_count < LB_COUNT(lease->left_out))
        lease->left_out[lease->left_out_count++] = code;
}

/* RFC 2132 2: NVT strings should not end in NULs, and a receiver copes when they do. Forms that
 * people fill in, and files, add blanks and line ends. */
static struct lb_bytes text_of(const struct lb_dhcp4_message *message, uint8_t code) {
    struct lb_bytes value;
    if (!lb_dhcp4_option(message, code, &value))
        return lb_bytes(message->values, 0);
    value = lb_bytes_trim_nul(lb_bytes_trim(lb_bytes_trim_nul(value)));
    return value.len > 0 ? value : lb_bytes(message->values, 0);
}

static void read_hostname(const struct lb_dhcp4_message *message, struct lb_dhcp4_lease *lease) {
    struct lb_bytes text = text_of(message, LB_OPT_HOSTNAME);
    if (lb_host_name_is_plain(text))
        lb_text_copy(lease->hostname, sizeof lease->hostname, text);
    else if (text.len > 0)
        leave_out(lease, LB_OPT_HOSTNAME);
}

/* The next of names with blanks, commas or both between them. */
static bool next_name(struct lb_bytes *list, struct lb_bytes *name) {
    size_t len = 0;
    while (list->len > 0 && (list->p[0] == ',' || list->p[0] == ' ' || list->p[0] == '\t'))
        *list = lb_bytes_after(*list, 1);
    while (len < list->len && list->p[len] != ',' && list->p[len] != ' ' && list->p[len] != '\t')
        len++;
    *name = lb_bytes(list->p, len);
    *list = lb_bytes_after(*list, len);
    return len > 0;
}

/* RFC 2132 3.17 has one domain. Many servers send several, which dhclient searches in turn. */
static void read_domains(const struct lb_dhcp4_message *message, struct lb_dhcp4_lease *lease) {
    struct lb_bytes list = text_of(message, LB_OPT_DOMAIN), name;
    char names[LB_SEARCH_MAX + 1];
    struct lb_text search = lb_text(names, sizeof names);
    size_t count = 0;
    bool is_whole = true;
    while (next_name(&list, &name)) {
        if (!lb_host_name_is_plain(name)) {
            is_whole = false;
            continue;
        }
        if (count++ == 0)
            lb_text_copy(lease->domain, sizeof lease->domain, name);
        if (search.len + 1 + name.len < sizeof names)
            lb_text_add(&search, "%s%.*s", search.len > 0 ? " " : "", (int)name.len,
                        (const char *)name.p);
    }
    if (!is_whole)
        leave_out(lease, LB_OPT_DOMAIN);
    if (count > 1 && lease->search[0] == '\0')
        memcpy(lease->search, names, sizeof lease->search);
}

static void copy_text(struct lb_bytes text, char *to, size_t cap) {
    if (is_text(text))
        lb_text_copy(to, cap, text);
}

/* ---- addresses and routes ---- */

static size_t read_addresses(const struct lb_dhcp4_message *message, uint8_t code,
                             struct lb_dhcp4_lease *lease, struct lb_addr *to, size_t cap) {
    struct lb_bytes value;
    size_t count = 0;
    if (!lb_dhcp4_option(message, code, &value))
        return 0;
    if (value.len == 0 || value.len % 4 != 0) {
        leave_out(lease, code);
        return 0;
    }
    for (struct lb_rd rd = lb_rd(value); rd.left > 0 && count < cap;) {
        struct lb_addr addr = lb_rd_v4(&rd);
        if (lb_addr_is_host(addr))
            to[count++] = addr;
    }
    return count;
}

/* RFC 950: the mask of an address's class, for BOOTP servers that say none. */
static uint8_t class_len(struct lb_addr addr) {
    if (addr.bytes[0] < 128)
        return 8;
    return addr.bytes[0] < 192 ? 16 : 24;
}

static struct lb_prefix read_prefix(const struct lb_dhcp4_message *message,
                                    struct lb_dhcp4_lease *lease) {
    struct lb_bytes value;
    struct lb_addr mask;
    struct lb_prefix prefix = {.addr = message->header.yiaddr,
                               .len = class_len(message->header.yiaddr)};
    uint8_t len;
    if (lb_dhcp4_option_addr(message, LB_OPT_MASK, &mask) && lb_mask_len(mask, &len) && len > 0)
        prefix.len = len;
    if (lb_dhcp4_option(message, LB_OPT_MASK, &value) && value.len != 4)
        leave_out(lease, LB_OPT_MASK);
    return prefix;
}

static bool is_broadcast(struct lb_prefix network) {
    struct lb_rd rd = lb_rd(lb_bytes(network.addr.bytes, 4));
    uint32_t host = UINT32_MAX >> network.len;
    return (lb_rd_u32(&rd) & host) == host;
}

/* What no network is like: an offer that says so is taken after those that do not. */
static const char *find_flaw(const struct lb_dhcp4_message *message,
                             const struct lb_dhcp4_lease *lease) {
    struct lb_prefix network = lease->address;
    struct lb_addr mask, first = lb_addr_mask(network.addr, network.len);
    uint8_t len;
    if (lb_dhcp4_option_addr(message, LB_OPT_MASK, &mask) && (!lb_mask_len(mask, &len) || len == 0))
        return "a netmask that is none";
    if (network.len < 31 && lb_addr_equal(first, network.addr))
        return "its address is that of the whole network";
    if (network.len < 31 && is_broadcast(network))
        return "its address is its network's broadcast address";
    /* With /32, routers are reached by routes of their own. */
    bool is_near = lease->router_count == 0 || network.len == 32;
    for (size_t i = 0; i < lease->router_count; i++)
        is_near = is_near || lb_prefix_has(network, lease->routers[i]);
    for (size_t i = 0; i < lease->route_count; i++)
        is_near = is_near || (lb_addr_is_zero(lease->routes[i].via) &&
                              lb_prefix_has(lease->routes[i].to, lease->routers[0]));
    return is_near ? NULL : "its router is not on its network";
}

static void add_route(struct lb_dhcp4_lease *lease, struct lb_addr to, uint8_t len,
                      struct lb_addr via) {
    if (lease->route_count == LB_COUNT(lease->routes))
        return;
    lease->routes[lease->route_count++] = (struct lb_route){
        .to = {.addr = lb_addr_mask(to, len), .len = len},
        .via = via,
    };
}

/* RFC 3442: width, as many bytes as it needs, router. False when malformed anywhere. */
static bool read_classless(struct lb_bytes value, struct lb_dhcp4_lease *lease) {
    struct lb_rd rd = lb_rd(value);
    while (rd.left > 0) {
        uint8_t width = lb_rd_u8(&rd), octets[4] = {0};
        if (width > 32)
            return false;
        lb_rd_copy(&rd, octets, (width + 7u) / 8);
        struct lb_addr via = lb_rd_v4(&rd);
        if (!lb_rd_ok(&rd))
            return false;
        add_route(lease, lb_addr_v4_bytes(octets), width, via);
        if (width == 0 && lease->router_count == 0 && lb_addr_is_host(via))
            lease->routers[lease->router_count++] = via;
    }
    return value.len >= 1 + ROUTER_BYTES;
}

/* RFC 2132 5.8: pairs of destination and router; the default route is no legal destination. */
static void read_static(const struct lb_dhcp4_message *message, struct lb_dhcp4_lease *lease) {
    struct lb_bytes value;
    if (!lb_dhcp4_option(message, LB_OPT_STATIC_ROUTES, &value))
        return;
    if (value.len == 0 || value.len % 8 != 0) {
        leave_out(lease, LB_OPT_STATIC_ROUTES);
        return;
    }
    for (struct lb_rd rd = lb_rd(value); rd.left > 0;) {
        struct lb_addr to = lb_rd_v4(&rd), via = lb_rd_v4(&rd);
        if (lb_addr_is_host(to) && lb_addr_is_host(via))
            add_route(lease, to, to.bytes[3] == 0 ? class_len(to) : 32, via);
    }
}

/* A person who looks for the missing route finds it. */
static void note_ignored(const struct lb_dhcp4_message *message, struct lb_dhcp4_lease *lease) {
    struct lb_bytes value;
    if (lease->router_count > 0 || !lb_dhcp4_option(message, LB_OPT_ROUTERS, &value) ||
        value.len < ROUTER_BYTES)
        return;
    struct lb_rd rd = lb_rd(value);
    lease->ignored_router = lb_rd_v4(&rd);
}

/* RFC 3442: who understands 121 ignores 3 and 33 where it is present. */
static void read_routes(const struct lb_dhcp4_message *message, struct lb_dhcp4_lease *lease) {
    struct lb_bytes value;
    if (lb_dhcp4_option(message, LB_OPT_CLASSLESS_ROUTES, &value)) {
        if (read_classless(value, lease)) {
            note_ignored(message, lease);
            return;
        }
        lease->route_count = lease->router_count = 0; /* malformed: as if it were absent */
        leave_out(lease, LB_OPT_CLASSLESS_ROUTES);
    }
    lease->router_count =
        read_addresses(message, LB_OPT_ROUTERS, lease, lease->routers, LB_COUNT(lease->routers));
    read_static(message, lease);
    if (lease->router_count > 0)
        add_route(lease, lb_addr_v4(0, 0, 0, 0), 0, lease->routers[0]);
}

/* ---- 119: RFC 3397, names as in RFC 1035 4.1.4 ---- */

/* One label at *at, which is moved past it; an empty one ends the name. Pointers are followed, and
 * each must lead to before the run of labels it ends, so that there is no loop. */
struct name_reader {
    struct lb_bytes bytes;
    size_t at;    /* the next label */
    size_t run;   /* where this run of labels began */
    size_t after; /* behind the name in the option; 0: no pointer was followed yet */
};

static bool follow_pointer(struct name_reader *reader) {
    struct lb_rd rd = lb_rd(lb_bytes_after(reader->bytes, reader->at));
    size_t target = lb_rd_u16(&rd) & 0x3fff;
    if (!lb_rd_ok(&rd) || target >= reader->run)
        return false;
    if (reader->after == 0)
        reader->after = reader->at + 2;
    reader->at = reader->run = target;
    return true;
}

static bool read_label(struct name_reader *reader, struct lb_bytes *label) {
    while (reader->at < reader->bytes.len && reader->bytes.p[reader->at] >= 0xc0) {
        if (!follow_pointer(reader))
            return false;
    }
    struct lb_rd rd = lb_rd(lb_bytes_after(reader->bytes, reader->at));
    *label = lb_rd_bytes(&rd, lb_rd_u8(&rd));
    reader->at += 1 + label->len;
    return lb_rd_ok(&rd) && label->len <= LABEL_MAX;
}

static bool read_domain(struct name_reader *reader, struct lb_text *domain) {
    struct lb_bytes label;
    reader->run = reader->at;
    reader->after = 0;
    for (;;) {
        if (!read_label(reader, &label))
            return false;
        if (label.len == 0)
            break;
        if (!lb_host_name_is_plain(label))
            return false;
        lb_text_add(domain, "%s%.*s", domain->len > 0 ? "." : "", (int)label.len,
                    (const char *)label.p);
        if (domain->cut)
            return false; /* longer than any domain name */
    }
    if (reader->after > 0)
        reader->at = reader->after;
    return domain->len > 0;
}

static void read_search(const struct lb_dhcp4_message *message, struct lb_dhcp4_lease *lease) {
    struct name_reader reader = {0};
    struct lb_text list = lb_text(lease->search, sizeof lease->search);
    if (!lb_dhcp4_option(message, LB_OPT_SEARCH, &reader.bytes))
        return;
    while (reader.at < reader.bytes.len) {
        char name[LB_DOMAIN_MAX + 1];
        struct lb_text domain = lb_text(name, sizeof name);
        if (!read_domain(&reader, &domain)) {
            lease->search[0] = 0; /* malformed: as if it were absent */
            leave_out(lease, LB_OPT_SEARCH);
            return;
        }
        if (list.len + 1 + domain.len <= LB_SEARCH_MAX)
            lb_text_add(&list, "%s%s", list.len > 0 ? " " : "", name);
    }
}

/* ---- boot options ---- */

/* A disk that is named where HBAs look for it, or DHCPv6 has it: it is not used, and told. */
static void note_elsewhere(struct lb_dhcp4_lease *lease, const char *where, struct lb_bytes text) {
    if (lease->elsewhere != NULL || !lb_text_begins(lb_bytes_trim(text), "iscsi:"))
        return;
    struct lb_text shown = lb_text(lease->elsewhere_text, sizeof lease->elsewhere_text);
    lease->elsewhere = where;
    lb_text_untrusted(&shown, lb_bytes(text.p, LB_MIN(text.len, 100)));
}

/* RFC 2132 8.4: option 43 may hold options of its own. */
static void look_into_vendor(struct lb_dhcp4_lease *lease) {
    struct lb_rd rd = lb_rd(lb_bytes(lease->vendor_specific, lease->vendor_specific_len));
    while (rd.left > 0) {
        uint8_t code = lb_rd_u8(&rd);
        if (code == LB_OPT_PAD)
            continue;
        struct lb_bytes value = lb_rd_bytes(&rd, code == LB_OPT_END ? 0 : lb_rd_u8(&rd));
        if (code == LB_OPT_END || !lb_rd_ok(&rd))
            return;
        note_elsewhere(lease,
                       code == LB_OPT_FIRST_TARGET    ? "option 43, sub-option 201"
                       : code == LB_OPT_SECOND_TARGET ? "option 43, sub-option 202"
                                                      : "option 43",
                       value);
    }
}

static void look_elsewhere(const struct lb_dhcp4_message *message, struct lb_dhcp4_lease *lease) {
    look_into_vendor(lease);
    note_elsewhere(lease, "option 201", text_of(message, LB_OPT_FIRST_TARGET));
    note_elsewhere(lease, "option 202", text_of(message, LB_OPT_SECOND_TARGET));
    note_elsewhere(lease, "option 67 (bootfile)", text_of(message, LB_OPT_BOOTFILE));
    note_elsewhere(lease, "the field `file`", message->file);
    note_elsewhere(lease, "option 66", text_of(message, LB_OPT_TFTP_SERVER));
    note_elsewhere(lease, "the field `sname`", message->sname);
}

static void read_boot(const struct lb_dhcp4_message *message, struct lb_dhcp4_lease *lease) {
    struct lb_bytes root_path = lb_bytes(message->values, 0);
    if (lb_dhcp4_option(message, LB_OPT_ROOT_PATH, &root_path))
        root_path = lb_bytes_trim_nul(root_path); /* blanks around it are its reader's to tell */
    /* One longer than this cannot be valid, cut or not, and cut it can still be explained. */
    lease->root_path_len = LB_MIN(root_path.len, sizeof lease->root_path);
    memcpy(lease->root_path, root_path.p, lease->root_path_len);
    if (lease->root_path_len > 0)
        lease->root_path_from = lease->server;
    copy_text(text_of(message, LB_OPT_INITIATOR), lease->initiator, sizeof lease->initiator);

    struct lb_bytes bootfile = text_of(message, LB_OPT_BOOTFILE);
    struct lb_bytes tftp_server = text_of(message, LB_OPT_TFTP_SERVER);
    copy_text(bootfile.len > 0 ? bootfile : message->file, lease->bootfile, sizeof lease->bootfile);
    copy_text(tftp_server.len > 0 ? tftp_server : message->sname, lease->tftp_server,
              sizeof lease->tftp_server);
    copy_text(text_of(message, LB_OPT_VENDOR_CLASS), lease->vendor_class,
              sizeof lease->vendor_class);
    struct lb_bytes vendor;
    if (lb_dhcp4_option(message, LB_OPT_VENDOR_SPECIFIC, &vendor) &&
        vendor.len <= sizeof lease->vendor_specific) {
        memcpy(lease->vendor_specific, vendor.p, vendor.len);
        lease->vendor_specific_len = vendor.len;
    }
    look_elsewhere(message, lease);
}

/* RFC 2610 3 and 4. The high bit of the first byte marks an older form of the option. */
static void read_slp(const struct lb_dhcp4_message *message, struct lb_dhcp4_lease *lease) {
    struct lb_bytes value;
    if (lb_dhcp4_option(message, LB_OPT_SLP_DA, &value) && value.len >= 5 && value.len % 4 == 1 &&
        value.p[0] < 0x80) {
        struct lb_rd rd = lb_rd(value);
        lease->slp_da_mandatory = lb_rd_u8(&rd) != 0;
        while (rd.left > 0 && lease->slp_da_count < LB_COUNT(lease->slp_da)) {
            struct lb_addr agent = lb_rd_v4(&rd);
            if (lb_addr_is_host(agent))
                lease->slp_da[lease->slp_da_count++] = agent;
        }
    }
    if (lb_dhcp4_option(message, LB_OPT_SLP_SCOPE, &value) && value.len >= 1) {
        lease->slp_scope_mandatory = value.p[0] != 0;
        copy_text(lb_bytes_trim_nul(lb_bytes_after(value, 1)), lease->slp_scopes,
                  sizeof lease->slp_scopes);
    }
}

/* RFC 4174 2. With a heartbeat its multicast address comes first, and then the servers. */
static void read_isns(const struct lb_dhcp4_message *message, struct lb_dhcp4_lease *lease) {
    struct lb_bytes value;
    if (!lb_dhcp4_option(message, LB_OPT_ISNS, &value))
        return;
    struct lb_rd rd = lb_rd(value);
    uint16_t functions = lb_rd_u16(&rd), dd_access = lb_rd_u16(&rd), admin = lb_rd_u16(&rd);
    uint32_t security = lb_rd_u32(&rd);
    if ((admin & ISNS_ENABLED) && (admin & ISNS_HEARTBEAT))
        lb_rd_skip(&rd, 4);
    struct lb_addr server = lb_rd_v4(&rd);
    if (!lb_rd_ok(&rd) || (value.len - ISNS_FIXED) % 4 != 0 || !lb_addr_is_host(server)) {
        leave_out(lease, LB_OPT_ISNS);
        return;
    }
    /* A field whose own `enabled` bit is 0 says nothing. */
    lease->isns_functions = functions & ISNS_ENABLED ? functions : 0;
    lease->isns_dd_access = dd_access & ISNS_ENABLED ? dd_access : 0;
    lease->isns_admin_flags = admin & ISNS_ENABLED ? admin : 0;
    lease->isns_security = security & ISNS_ENABLED ? security : 0;
    lease->isns_server = server;
    if (rd.left > 0)
        lease->isns_backup = lb_rd_v4(&rd);
}

/* ---- */

/* A time of four bytes; one of another length is left out. */
static bool read_time(const struct lb_dhcp4_message *message, uint8_t code,
                      struct lb_dhcp4_lease *lease, uint32_t *seconds) {
    struct lb_bytes value;
    if (lb_dhcp4_option_u32(message, code, seconds))
        return true;
    if (lb_dhcp4_option(message, code, &value))
        leave_out(lease, code);
    return false;
}

/* A lease of no time cannot be meant; an hour is what dhcpd gives where nothing is configured. */
static void read_times(const struct lb_dhcp4_message *message, struct lb_dhcp4_lease *lease) {
    lease->lease_s = LB_DHCP4_INFINITE;
    if (lease->bootp)
        return;
    uint32_t lease_s;
    if (read_time(message, LB_OPT_LEASE_TIME, lease, &lease_s))
        lease->lease_s = lease_s;
    if (lease->lease_s == 0) {
        lease->lease_s = LEASE_DEFAULT_S;
        leave_out(lease, LB_OPT_LEASE_TIME);
    }
    (void)read_time(message, LB_OPT_T1, lease, &lease->t1_s);
    (void)read_time(message, LB_OPT_T2, lease, &lease->t2_s);
}

/* RFC 2131 4.3.1 wants option 54, and there are servers without it (a cloud's among them): the
 * sender is the server then, unless a relay sent it on. */
static void read_server(const struct lb_dhcp4_message *message, struct lb_addr from,
                        struct lb_dhcp4_lease *lease) {
    const struct lb_dhcp4_header *header = &message->header;
    struct lb_addr server;
    struct lb_bytes value;
    bool is_relayed = lb_addr_is_host(header->giaddr);
    lease->relay = header->giaddr;
    lease->next_server = header->siaddr;
    if (!lease->bootp && lb_dhcp4_option_addr(message, LB_OPT_SERVER_ID, &server) &&
        lb_addr_is_host(server)) {
        lease->server = server;
        return;
    }
    lease->no_server_id = !lease->bootp;
    if (!lease->bootp && lb_dhcp4_option(message, LB_OPT_SERVER_ID, &value))
        leave_out(lease, LB_OPT_SERVER_ID);
    bool is_said = lb_addr_is_host(header->siaddr) && (lease->bootp || is_relayed);
    if (is_said || !lb_addr_is_host(from))
        lease->server = lb_addr_is_host(header->siaddr) ? header->siaddr : lease->server;
    else
        lease->server = from;
}

static void read_mtu(const struct lb_dhcp4_message *message, struct lb_dhcp4_lease *lease) {
    struct lb_bytes value;
    uint16_t mtu;
    if (lb_dhcp4_option_u16(message, LB_OPT_MTU, &mtu) && mtu >= MTU_MIN)
        lease->mtu = mtu;
    else if (lb_dhcp4_option(message, LB_OPT_MTU, &value))
        leave_out(lease, LB_OPT_MTU);
}

void lb_dhcp4_read_lease(const struct lb_dhcp4_message *message, struct lb_addr from,
                         struct lb_dhcp4_lease *lease) {
    struct lb_bytes value;
    memset(lease, 0, sizeof *lease);
    lease->bootp = message->type == LB_DHCP4_BOOTP;
    lease->rapid_commit = lb_dhcp4_option(message, LB_OPT_RAPID_COMMIT, &value) && value.len == 0;
    lease->address = read_prefix(message, lease);
    if (message->is_cut)
        leave_out(lease, message->cut_code);
    lease->has_cut_root_path = message->is_cut && message->cut_code == LB_OPT_ROOT_PATH;
    read_server(message, from, lease);
    read_times(message, lease);
    read_routes(message, lease);
    lease->dns_count = read_addresses(message, LB_OPT_DNS, lease, lease->dns, LB_COUNT(lease->dns));
    read_mtu(message, lease);
    read_hostname(message, lease);
    read_search(message, lease);
    read_domains(message, lease);
    read_boot(message, lease);
    read_slp(message, lease);
    read_isns(message, lease);
    lease->flaw = find_flaw(message, lease);
}
