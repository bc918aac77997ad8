/* Which files there are, and that all of them are written. */
#include "hosts/linux/netfacts.h"
#include "os/linux/files.h"

#define TEXT_BYTES 16384

static char buffer[TEXT_BYTES];

static bool write_text(const char *folder, const char *name, unsigned mode,
                       const struct lb_text *text, struct lb_error *error) {
    int refused = text->cut ? LB_FILE_LONG : 0;
    if (refused == 0)
        refused = lb_file_write(folder, name, mode, lb_bytes(text->at, text->len));
    if (refused)
        lb_fail(error, LB_E_OUTPUT, "%s/%s: %s", folder, name, lb_file_reason(refused));
    return refused == 0;
}

static bool write_manager(const struct lb_netfiles *from, const char *folder,
                          struct lb_error *error) {
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    char name[64];
    lb_netfiles_manager(&text, from);
    if (!lb_netfacts_is_virtual(from) &&
        !write_text(folder, "NetworkManager/system-connections/lunboot.nmconnection", 0600, &text,
                    error))
        return false;
    text = lb_text(buffer, sizeof(buffer));
    lb_netfiles_manager_device(&text, from);
    lb_format(name, sizeof(name), "NetworkManager/devices/%d", from->index);
    return write_text(folder, name, 0644, &text, error);
}

static bool write_units(const struct lb_netfiles *from, const char *folder,
                        struct lb_error *error) {
    struct lb_text text = lb_text(buffer, sizeof(buffer)), path;
    char name[256];
    lb_netfiles_networking(&text, from);
    if (!write_text(folder, "systemd/system.control/networking.service.d/lunboot.conf", 0644, &text,
                    error))
        return false;
    path = lb_text(name, sizeof(name));
    lb_text_add(&path, "systemd/system.control/ifup@");
    lb_netfiles_escape(&path, from->interface);
    lb_text_add(&path, ".service.d/lunboot.conf");
    text = lb_text(buffer, sizeof(buffer));
    lb_netfiles_ifup(&text);
    return write_text(folder, name, 0644, &text, error);
}

/* Debian's own initramfs scripts and open-iscsi read these. */
static bool write_debian(const struct lb_netfiles *from, const char *folder,
                         struct lb_error *error) {
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    char name[64];
    lb_netfiles_klibc(&text, from);
    lb_format(name, sizeof(name), "net-%s.conf", from->interface);
    if (lb_netfacts_has_v4(from->net) && !write_text(folder, name, 0644, &text, error))
        return false;
    text = lb_text(buffer, sizeof(buffer));
    lb_text_add(&text, "%s\n", from->interface);
    return write_text(folder, "initramfs/open-iscsi.interface", 0644, &text, error);
}

bool lb_netfiles_write(const struct lb_netfiles *from, const char *folder, struct lb_error *error) {
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    if (!lb_interface_name_is_plain(lb_bytes_of_text(from->interface))) {
        lb_fail(error, LB_E_OUTPUT, "%s: no name of an interface for a file", from->interface);
        return false;
    }
    lb_netfiles_networkd(&text, from);
    if (!write_text(folder, "systemd/network/05-lunboot.network", 0644, &text, error))
        return false;
    text = lb_text(buffer, sizeof(buffer));
    lb_netfiles_ifupdown(&text, from);
    return write_text(folder, "network/interfaces.d/lunboot", 0644, &text, error) &&
           write_units(from, folder, error) && write_manager(from, folder, error) &&
           write_debian(from, folder, error);
}
