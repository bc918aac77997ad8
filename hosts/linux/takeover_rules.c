#include "hosts/linux/takeover_rules.h"
#include "hosts/linux/ibft_source.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ---- what follows ---------------------------------------------------------------------------- */

enum lb_takeover_wait lb_takeover_wait(enum lb_loop_event event, uint64_t now_us,
                                       uint64_t until_us) {
    if (event == LB_LOOP_FAILED || event == LB_LOOP_OUT || event == LB_LOOP_INTERRUPTED)
        return LB_TAKEOVER_ENDED;
    return now_us < until_us ? LB_TAKEOVER_WAITS : LB_TAKEOVER_LATE;
}

enum lb_takeover_next lb_takeover_next(unsigned attempts, bool is_there, bool has_ended,
                                       bool is_interrupted) {
    if (is_there)
        return LB_TAKEOVER_DONE;
    if (has_ended || is_interrupted || attempts >= LB_TAKEOVER_ATTEMPTS)
        return LB_TAKEOVER_FAILED;
    return LB_TAKEOVER_AGAIN;
}

/* ---- what is told, and what is kept ---------------------------------------------------------- */

struct lb_kernel_iscsi_settings lb_takeover_settings(const struct lb_config *config, bool is_kept) {
    uint32_t ping_ms = lb_config_u32(config, LB_KEY_PING_INTERVAL);
    return (struct lb_kernel_iscsi_settings){
        .recovery_s = lb_config_u32(config, LB_KEY_RECOVERY_TIME) / 1000,
        .queue_depth = lb_config_u32(config, LB_KEY_QUEUE_DEPTH),
        .ping_s = is_kept ? (ping_ms + 999) / 1000 : 0};
}

void lb_takeover_note(const struct lb_initiator_standing *standing, const struct lb_config *config,
                      struct lb_login_again *again) {
    struct lb_error error = {0}; /* a word that has no room is required of this boot already */
    again->config = *standing->config;
    again->config.portal = standing->home;
    again->config.recover = false;
    again->time2wait_s = standing->agreed->time2wait_s;
    again->policy = *config;
    lb_ibft_require(&again->policy, standing->config->target, &error);
    lb_config_wipe_secrets(&again->policy);
}

/* ---- sysfs ----------------------------------------------------------------------------------- */

int lb_takeover_open_scan(const char *sysfs, uint32_t host, struct lb_error *error) {
    char path[160];
    int fd;
    lb_format(path, sizeof(path), "%s/class/scsi_host/host%u/scan", sysfs, host);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        lb_fail(error, LB_E_HAND_OVER, "%s: %s", path, strerror(errno));
    return fd;
}

static void write_text(int fd, const char *text) {
    (void)!write(fd, text, strlen(text));
}

void lb_takeover_scan(int fd, uint64_t lun) {
    char text[32];
    lb_format(text, sizeof(text), "0 0 %llu", (unsigned long long)lun);
    write_text(fd, text);
    write_text(fd, "- - -");
}

bool lb_takeover_look(const char *sysfs, const struct lb_kernel_iscsi *kernel, uint64_t lun,
                      char device[LB_TAKEOVER_DEVICE]) {
    char path[256];
    const struct dirent *entry;
    bool is_there = false;
    DIR *dir;
    lb_format(path, sizeof(path),
              "%s/class/iscsi_session/session%u/device/target%u:0:0/%u:0:0:%llu/block", sysfs,
              kernel->sid, kernel->host, kernel->host, (unsigned long long)lun);
    dir = opendir(path);
    while (dir && !is_there && (entry = readdir(dir)) != NULL) {
        is_there = entry->d_name[0] != '.';
        if (is_there)
            lb_format(device, LB_TAKEOVER_DEVICE, "%s", entry->d_name);
    }
    if (dir)
        closedir(dir);
    return is_there;
}

bool lb_takeover_delete(const char *sysfs, const char *device) {
    char path[160];
    bool is_gone;
    int fd;
    lb_format(path, sizeof(path), "%s/class/block/%s/device/delete", sysfs, device);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    is_gone = write(fd, "1", 1) == 1;
    close(fd);
    return is_gone;
}
