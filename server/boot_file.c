#include "server/boot_file.h"
#include "core/dhcp4/dhcp4_wire.h"
#include "core/dhcp6/dhcp6_wire.h"
#include "core/names/rootpath.h"
#include <string.h>

#define NO_ARCH (-1)

/* IANA, Processor Architecture Types. */
static const struct {
    uint16_t arch;
    const char *machine, *file;
} archs[] = {
    {0, "BIOS", "undionly.kpxe"},
    {6, "UEFI ia32", NULL},
    {7, "UEFI x64", "lunbootx64.efi"},
    {9, "UEFI x64", "lunbootx64.efi"},
    {10, "UEFI arm", NULL},
    {11, "UEFI aa64", "lunbootaa64.efi"},
    {15, "UEFI ia32", NULL},
    {16, "UEFI x64", "lunbootx64.efi"},
    {18, "UEFI arm", NULL},
    {19, "UEFI aa64", "lunbootaa64.efi"},
};

/* "PXEClient:Arch:00007:UNDI:003016", and HTTPClient's: for a request without option 93. */
static int arch_in_class(struct lb_bytes class) {
    static const char mark[] = ":Arch:";
    uint64_t arch;
    size_t at = 0;
    while (at < class.len && class.p[at] != ':')
        at++;
    struct lb_bytes rest = lb_bytes_after(class, at), digits;
    if (!lb_bytes_start_with(rest, lb_bytes_of_text(mark)))
        return NO_ARCH;
    rest = lb_bytes_after(rest, sizeof mark - 1);
    return lb_list_next(&rest, ':', &digits) && lb_parse_u64(digits, UINT16_MAX, &arch) ? (int)arch
                                                                                        : NO_ARCH;
}

/* vendor, user: the classes that the request names. */
static struct lb_server_boot_file choose(struct lb_bytes vendor, struct lb_bytes user, int arch) {
    struct lb_server_boot_file boot = {.requester = LB_REQUESTER_OTHER, .machine = ""};
    if (arch == NO_ARCH)
        arch = arch_in_class(vendor);
    if (lb_bytes_start_with(vendor, lb_bytes_of_text("HTTPClient")))
        boot.requester = LB_REQUESTER_HTTP;
    else if (lb_bytes_start_with(vendor, lb_bytes_of_text("PXEClient")))
        boot.requester = LB_REQUESTER_PXE;
    for (size_t i = 0; i < LB_COUNT(archs); i++) {
        if (archs[i].arch != arch)
            continue;
        boot.machine = archs[i].machine;
        boot.file = boot.requester == LB_REQUESTER_OTHER ? NULL : archs[i].file;
    }
    /* Where no file is named, iPXE boots the disk of the Root Path itself. With a file it opens
     * that disk first, and then stands beside the loader on the same card. */
    if (lb_bytes_start_with(user, lb_bytes_of_text("iPXE")))
        boot = (struct lb_server_boot_file){boot.requester, boot.machine, .is_ipxe = true};
    return boot;
}

/* Several may be listed (RFC 4578 2.1, RFC 5970 3.3); the first is the one that runs. */
static int first_arch(struct lb_bytes list) {
    return list.len < 2 ? NO_ARCH : list.p[0] << 8 | list.p[1];
}

/* EDK2's initiator says nothing of itself (IScsiDhcp.c). It is known by the four options that it
 * asks for, and by having none that operating systems name themselves with. */
static bool is_initiator(const struct lb_dhcp4_message *request) {
    static const uint8_t named[] = {LB_OPT_HOSTNAME, LB_OPT_VENDOR_CLASS, LB_OPT_CLIENT_ID,
                                    LB_OPT_USER_CLASS, LB_OPT_ARCH};
    static const uint8_t asked[] = {LB_OPT_MASK, LB_OPT_ROUTERS, LB_OPT_DNS, LB_OPT_ROOT_PATH};
    struct lb_bytes value;
    for (size_t i = 0; i < LB_COUNT(named); i++)
        if (lb_dhcp4_option(request, named[i], &value))
            return false;
    return lb_dhcp4_option(request, LB_OPT_PARAMETERS, &value) &&
           lb_bytes_equal(value, lb_bytes(asked, sizeof asked));
}

struct lb_server_boot_file lb_server_boot_file(const struct lb_dhcp4_message *request) {
    struct lb_bytes vendor = {0}, user = {0}, list = {0};
    if (is_initiator(request))
        return (struct lb_server_boot_file){LB_REQUESTER_INITIATOR, .machine = ""};
    (void)lb_dhcp4_option(request, LB_OPT_VENDOR_CLASS, &vendor);
    (void)lb_dhcp4_option(request, LB_OPT_USER_CLASS, &user);
    (void)lb_dhcp4_option(request, LB_OPT_ARCH, &list);
    return choose(vendor, user, first_arch(list));
}

/* The first class of an option that lists several, each behind its length; skip: bytes before. */
static struct lb_bytes first_class(const struct lb_dhcp6_message *request, uint16_t code,
                                   size_t skip) {
    struct lb_bytes value, none = {0};
    if (!lb_dhcp6_find(request->options, code, &value))
        return none;
    struct lb_rd rd = lb_rd(value);
    (void)lb_rd_bytes(&rd, skip);
    struct lb_bytes class = lb_rd_bytes(&rd, lb_rd_u16(&rd));
    return lb_rd_ok(&rd) ? class : none;
}

struct lb_server_boot_file lb_server_boot_file6(const struct lb_dhcp6_message *request) {
    struct lb_bytes list = {0};
    (void)lb_dhcp6_find(request->options, LB_OPT6_ARCH, &list);
    return choose(first_class(request, LB_OPT6_VENDOR_CLASS, 4), /* an enterprise's number */
                  first_class(request, LB_OPT6_USER_CLASS, 0), first_arch(list));
}

static bool is_served(const struct lb_server_boot_file *boot,
                      const struct lb_server_settings *settings,
                      const struct lb_server_folder *folder) {
    bool has_way = boot->requester == LB_REQUESTER_HTTP ? settings->http : settings->tftp;
    return boot->file != NULL && has_way && lb_server_folder_has(folder, boot->file);
}

void lb_server_boot_file_settle(struct lb_server_boot_file *boot,
                                const struct lb_server_settings *settings,
                                const struct lb_server_folder *folder,
                                const struct lb_server_machine *machine) {
    if (!is_served(boot, settings, folder))
        boot->missing = boot->file;
    if (machine == NULL || boot->missing != NULL)
        boot->file = NULL;
}

struct lb_bytes lb_server_boot_root_path(const struct lb_server_machine *machine,
                                         struct lb_addr here, uint32_t port, struct lb_span room) {
    struct lb_text text = lb_text((char *)room.p, room.len);
    struct lb_rootpath path = {
        .host = LB_HOST_ADDR,
        .addr = here,
        .port = (uint16_t)port,
        .lun_given = true,
    };
    if (machine == NULL)
        return lb_bytes(NULL, 0);
    memcpy(path.target, machine->node->name, sizeof path.target);
    lb_rootpath_format(&text, &path);
    return lb_bytes(text.at, text.len);
}

const char lb_server_boot_file_hint[] =
    "give the folder that has the file: --files=FOLDER; iPXE's undionly.kpxe is in Debian's ipxe";

const char lb_server_dhcp_auth_hint[] =
    "give it dhcp-keys in its lunboot.conf, or lunbootd dhcp-auth = offer";

void lb_server_boot_file_tell(struct lb_text *text, const struct lb_server_boot_file *boot,
                              const char *protocol, struct lb_addr given,
                              const struct lb_server_machine *machine) {
    if (lb_addr_is_set(given))
        lb_text_add(text, "is given %s by %s", lb_addr_text(given).s, protocol);
    else
        lb_text_add(text, "asks for an address, which another server gives");
    if (boot->machine[0] != '\0')
        lb_text_add(text, ", %s", boot->machine);
    if (boot->file != NULL)
        lb_text_add(text, ", boot file %s", boot->file);
    else if (boot->is_ipxe)
        lb_text_add(text, " with iPXE");
    else if (boot->requester == LB_REQUESTER_INITIATOR)
        lb_text_add(text, " with its firmware's own initiator");
    else if (boot->missing != NULL)
        lb_text_add(text, ", no boot file: %s is not served", boot->missing);
    else if (boot->requester != LB_REQUESTER_OTHER)
        lb_text_add(text, ", there is no boot file for this kind of machine");
    lb_text_add(text, ", %s%s", machine ? "disk " : "no disk", machine ? machine->node->name : "");
}
