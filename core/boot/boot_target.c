/* What is booted, and as whom: a person's configuration stands above the network's word, field by
 * field (RFC 4173 3). */
#include "core/boot/boot_rules.h"
#include "core/boot/boot_state.h"

unsigned lb_target_name_flags(const struct lb_boot *boot, bool by_person) {
    const struct lb_config *config = boot->setup.config;
    const char *word = lb_config_text(config, LB_KEY_ACCEPT_NAMES);
    bool takes_any = lb_streq(word, "lenient") || (by_person && lb_streq(word, "auto"));
    return (takes_any ? (unsigned)LB_ROOTPATH_ANY_NAMES : 0u) |
           (lb_config_bool(config, LB_KEY_ACCEPT_UNDERSCORE) ? 0u
                                                             : (unsigned)LB_ROOTPATH_STRICT_NAMES);
}

/* ---- the single keys: server, port, lun, target --------------------------------------------- */

static bool config_error(struct lb_boot *boot, const char *key, const char *value, size_t offset) {
    char shown[120];
    struct lb_text text = lb_text(shown, sizeof shown);
    lb_text_given(&text, lb_bytes_of_text(value), 80);
    lb_fail(&boot->error, LB_E_CONFIG_VALUE, "%s=%s, at byte %zu", key, shown, offset);
    return false;
}

static bool override_server(struct lb_boot *boot) {
    const char *value = lb_config_text(boot->setup.config, LB_KEY_SERVER);
    struct lb_rootpath *target = &boot->target;
    size_t offset = 0;
    target->addr = (struct lb_addr){.family = LB_FAMILY_NONE};
    target->name[0] = '\0';
    if (!lb_host_parse(lb_bytes_of_text(value), true, &target->host, &target->addr, target->name,
                       &offset))
        return config_error(boot, "server", value, offset);
    return true;
}

static bool override_lun(struct lb_boot *boot) {
    const char *value = lb_config_text(boot->setup.config, LB_KEY_LUN);
    size_t offset = 0;
    if (lb_streq(value, "any") || lb_streq(value, "first")) {
        if (!boot->target.lun_given)
            boot->target.lun_choice = value[0] == 'a' ? LB_LUN_ANY : LB_LUN_FIRST;
        return true;
    }
    if (!lb_lun_parse(lb_bytes_of_text(value), boot->target.lun, &offset))
        return config_error(boot, "lun", value, offset);
    boot->target.lun_given = true;
    boot->target.lun_choice = LB_LUN_AS_GIVEN;
    return true;
}

static bool override_target(struct lb_boot *boot) {
    const char *value = lb_config_text(boot->setup.config, LB_KEY_TARGET);
    size_t offset = 0;
    if (!lb_iscsi_name_parse(lb_bytes_of_text(value), lb_target_name_flags(boot, true),
                             boot->target.target, &boot->target.warnings, &offset))
        return config_error(boot, "target", value, offset);
    return true;
}

/* Keys of a source earlier than `from` do not count. */
static bool is_set_from(const struct lb_boot *boot, enum lb_key key, enum lb_config_source from) {
    return lb_config_source(boot->setup.config, key) >= from;
}

static bool override_fields(struct lb_boot *boot, enum lb_config_source from) {
    if (is_set_from(boot, LB_KEY_SERVER, from) && !override_server(boot))
        return false;
    if (is_set_from(boot, LB_KEY_PORT, from))
        boot->target.port = (uint16_t)lb_config_u32(boot->setup.config, LB_KEY_PORT);
    if (is_set_from(boot, LB_KEY_LUN, from) && !override_lun(boot))
        return false;
    return !is_set_from(boot, LB_KEY_TARGET, from) || override_target(boot);
}

bool lb_target_parse_other(struct lb_boot *boot, struct lb_bytes string,
                           struct lb_rootpath *target) {
    const struct lb_config *config = boot->setup.config;
    const char *lun = lb_config_text(config, LB_KEY_LUN);
    struct lb_error error = {.code = LB_OK};
    *target = (struct lb_rootpath){.host = LB_HOST_NONE};
    if (!lb_rootpath_parse(string, lb_target_name_flags(boot, true), target, NULL, &error)) {
        lb_fail(&boot->error, error.code, "other-rootpaths: %s", error.facts);
        return false;
    }
    if (target->host == LB_HOST_NONE) {
        lb_fail(&boot->error, LB_E_NO_SERVER, "other-rootpaths: target %s", target->target);
        return false;
    }
    if (!target->lun_given && (lb_streq(lun, "any") || lb_streq(lun, "first")))
        target->lun_choice = lun[0] == 'a' ? LB_LUN_ANY : LB_LUN_FIRST;
    return true;
}

static bool check_others(struct lb_boot *boot) {
    struct lb_bytes item;
    struct lb_bytes list =
        lb_bytes_of_text(lb_config_text(boot->setup.config, LB_KEY_OTHER_ROOTPATHS));
    struct lb_rootpath target;
    while (lb_list_next(&list, ' ', &item))
        if (item.len > 0 && !lb_target_parse_other(boot, item, &target))
            return false;
    return true;
}

static bool is_complete(const struct lb_rootpath *target) {
    return target->target[0] != '\0' && target->host != LB_HOST_NONE;
}

/* ---- the target ----------------------------------------------------------------------------- */

/* A Root Path is a whole disk: fields of earlier sources do not change it. */
static enum lb_config_source first_source(const struct lb_boot *boot) {
    const struct lb_config *config = boot->setup.config;
    return lb_config_is_set(config, LB_KEY_ROOTPATH) ? lb_config_source(config, LB_KEY_ROOTPATH)
                                                     : LB_SOURCE_IBFT;
}

static bool is_of_table(const struct lb_boot *boot, enum lb_key key) {
    return lb_config_source(boot->setup.config, key) == LB_SOURCE_IBFT &&
           first_source(boot) == LB_SOURCE_IBFT;
}

/* Checks the configuration before anything is sent. has_target says whether it is all there. What
 * the firmware's table says is an earlier stage's decision, which the network does not undo; but
 * its server is not one that a person named. */
bool lb_target_from_config(struct lb_boot *boot) {
    const struct lb_config *config = boot->setup.config;
    boot->target = (struct lb_rootpath){.host = LB_HOST_NONE};
    if (lb_config_is_set(config, LB_KEY_ROOTPATH)) {
        struct lb_bytes string = lb_bytes_of_text(lb_config_text(config, LB_KEY_ROOTPATH));
        if (!lb_rootpath_parse(string, lb_target_name_flags(boot, true), &boot->target, NULL,
                               &boot->error))
            return false;
    }
    if (!override_fields(boot, first_source(boot)) || !check_others(boot))
        return false;
    boot->has_target = is_complete(&boot->target);
    boot->server_from_network = is_of_table(boot, LB_KEY_SERVER);
    boot->unnamed = (struct lb_error){.code = LB_OK};
    lb_format(boot->target_source, sizeof boot->target_source, "%s",
              is_of_table(boot, LB_KEY_TARGET) ? lb_config_source_word(LB_SOURCE_IBFT)
                                               : "configuration");
    return true;
}

/* Somebody else's Root Path is none of ours. A disk that is named for others, or in another place,
 * is pointed out. */
static void tell_missing(struct lb_boot *boot, const struct lb_boot_answer *answer) {
    char shown[80], elsewhere[280] = "";
    struct lb_text text = lb_text(shown, sizeof shown);
    lb_text_untrusted(&text, answer->root_path);
    if (answer->elsewhere != NULL)
        lb_format(elsewhere, sizeof elsewhere, "; %s has one: put it into option 17: %s",
                  answer->elsewhere, answer->elsewhere_text);
    if (answer->root_path.len > 0)
        lb_fail(&boot->unnamed, LB_E_NO_ROOT_PATH, "from %s; its option %u is %s%s", answer->from,
                answer->root_path_option, shown, elsewhere);
    else
        lb_fail(&boot->unnamed, LB_E_NO_ROOT_PATH, "from %s%s", answer->from, elsewhere);
}

static bool target_from_answer(struct lb_boot *boot, const struct lb_boot_answer *answer) {
    struct lb_bytes string = answer->root_path;
    unsigned flags = lb_target_name_flags(boot, false) | answer->root_path_flags;
    struct lb_error error = {.code = LB_OK};
    if (lb_rootpath_parse(string, flags, &boot->target, NULL, &error))
        return true;
    lb_fail(&boot->error, error.code, "from %s: %s", answer->root_path_from, error.facts);
    return false;
}

/* Whether what the configuration leaves open is to be found in the answer: not when a person gave a
 * whole Root Path, nor when there is nothing in the answer and the target's name is known. */
static bool needs_answer(const struct lb_boot *boot, const struct lb_boot_answer *answer) {
    if (boot->has_target || lb_config_is_set(boot->setup.config, LB_KEY_ROOTPATH))
        return false;
    return answer->root_path.len > 0 || boot->target.target[0] == '\0';
}

/* What is not named is left to discovery, where that may be done. */
static bool leave_to_discovery(struct lb_boot *boot) {
    if (boot->target.target[0] != '\0')
        lb_fail(&boot->unnamed, LB_E_NO_SERVER, "target %s, named by %s", boot->target.target,
                boot->target_source);
    if (lb_discovery_may(boot))
        return true;
    lb_fail(&boot->error, boot->unnamed.code, "%s", boot->unnamed.facts);
    return false;
}

bool lb_target_choose(struct lb_boot *boot, uint64_t now_us, const struct lb_boot_answer *answer) {
    (void)now_us;
    if (!lb_target_from_config(boot))
        return false;
    if (needs_answer(boot, answer) &&
        !lb_rootpath_is_iscsi(answer->root_path, answer->root_path_flags)) {
        tell_missing(boot, answer);
    } else if (needs_answer(boot, answer)) {
        if (!target_from_answer(boot, answer) || !override_fields(boot, LB_SOURCE_IBFT))
            return false;
        boot->has_target = is_complete(&boot->target);
        boot->server_from_network = !is_set_from(boot, LB_KEY_SERVER, LB_SOURCE_START);
        lb_format(boot->target_source, sizeof boot->target_source, "%s", answer->root_path_from);
    }
    return boot->has_target || lb_config_is_set(boot->setup.config, LB_KEY_OTHER_ROOTPATHS) ||
           leave_to_discovery(boot);
}

/* ---- the initiator's name ------------------------------------------------------------------- */

/* Our own name may always have a `_`. */
static bool take_initiator(struct lb_boot *boot, bool by_person, const char *value,
                           size_t *offset) {
    unsigned warnings = 0;
    unsigned flags = lb_target_name_flags(boot, by_person) & ~(unsigned)LB_ROOTPATH_STRICT_NAMES;
    return lb_iscsi_name_parse(lb_bytes_of_text(value), flags, boot->initiator, &warnings, offset);
}

bool lb_initiator_is_valid(struct lb_boot *boot) {
    const char *value = lb_config_text(boot->setup.config, LB_KEY_INITIATOR);
    size_t offset = 0;
    if (!lb_config_is_set(boot->setup.config, LB_KEY_INITIATOR) ||
        take_initiator(boot, true, value, &offset))
        return true;
    lb_fail(&boot->error, LB_E_NAME_INVALID, "initiator=%s, at byte %zu", value, offset);
    return false;
}

/* Whether the name that the network gives is one, and may be borrowed. */
static bool take_given(struct lb_boot *boot, uint64_t now_us, const char *given) {
    char shown[LB_NAME_MAX + 1];
    struct lb_text text = lb_text(shown, sizeof shown);
    size_t offset;
    bool is_name = take_initiator(boot, false, given, &offset);
    if (is_name && lb_rules_initiator(boot->setup.config, boot->initiator))
        return true;
    lb_text_untrusted(&text, lb_bytes_of_text(given));
    lb_report_decided(&boot->report, now_us, LB_STAGE_CONFIG, "initiator", "DHCP option 203",
                      "%s is not used: %s", shown,
                      is_name ? "allow-initiator does not allow it"
                              : "it is no iSCSI name that accept-names takes");
    return false;
}

/* open-iscsi's package makes a file with a name for each machine, and copies of a machine have its
 * name: a server that names the disk knows better. */
static bool is_of_any_machine(const struct lb_config *config) {
    return lb_config_source(config, LB_KEY_INITIATOR) == LB_SOURCE_OPEN_ISCSI &&
           !lb_config_is_set(config, LB_KEY_TARGET) && !lb_config_is_set(config, LB_KEY_ROOTPATH);
}

bool lb_initiator_choose(struct lb_boot *boot, uint64_t now_us,
                         const struct lb_boot_answer *answer) {
    const struct lb_config *config = boot->setup.config;
    const char *source = "made from the machine's identity";
    bool is_given = answer != NULL && answer->initiator != NULL && answer->initiator[0] != '\0';
    bool is_set = lb_config_is_set(config, LB_KEY_INITIATOR);
    if (is_given && (!is_set || is_of_any_machine(config)) &&
        take_given(boot, now_us, answer->initiator)) {
        source = "DHCP option 203";
    } else if (is_set) {
        if (!lb_initiator_is_valid(boot))
            return false;
        source = lb_config_source_word(lb_config_source(config, LB_KEY_INITIATOR));
    } else {
        lb_iscsi_name_default(boot->initiator, boot->setup.uuid, boot->setup.mac);
    }
    lb_report_learned(&boot->report, now_us, LB_STAGE_CONFIG, "initiator", source, "%s",
                      boot->initiator);
    return true;
}
