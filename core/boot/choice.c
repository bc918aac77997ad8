#include "core/boot/choice.h"
#include "core/boot/boot_rules.h"
#include "core/disk/disk_root.h"

/* ---- the single keys: server, port, lun, target --------------------------------------------- */

static bool config_error(struct lb_error *error, const char *key, const char *value, size_t offset,
                         const char *expected) {
    char shown[120];
    struct lb_text text = lb_text(shown, sizeof shown);
    lb_text_given(&text, lb_bytes_of_text(value), 80);
    lb_fail(error, LB_E_CONFIG_VALUE, "%s=%s, at byte %zu; expected %s", key, shown, offset,
            expected);
    return false;
}

static bool override_server(const struct lb_plan *plan, struct lb_rootpath *target,
                            struct lb_error *error) {
    const char *value = lb_config_text(plan->config, LB_KEY_SERVER);
    size_t offset = 0;
    target->addr = (struct lb_addr){.family = LB_FAMILY_NONE};
    target->name[0] = '\0';
    if (!lb_host_parse(lb_bytes_of_text(value), true, &target->host, &target->addr, target->name,
                       &offset))
        return config_error(error, "server", value, offset,
                            "an address or a host name; `port` is a key of its own");
    return true;
}

static bool check_lun_holds(const struct lb_plan *plan, struct lb_error *error) {
    const char *value = lb_config_text(plan->config, LB_KEY_LUN_HOLDS);
    struct lb_disk_root root;
    char shown[100];
    struct lb_text text = lb_text(shown, sizeof shown);
    if (value[0] == '\0' || lb_disk_root_parse(lb_bytes_of_text(value), &root))
        return true;
    lb_text_given(&text, lb_bytes_of_text(value), 80);
    lb_fail(error, LB_E_CONFIG_VALUE,
            "lun-holds: `%s`, expected UUID=, LABEL=, PARTUUID= or PARTLABEL=", shown);
    return false;
}

static bool override_lun(const struct lb_plan *plan, struct lb_rootpath *target,
                         struct lb_error *error) {
    const char *value = lb_config_text(plan->config, LB_KEY_LUN);
    size_t offset = 0;
    if (!check_lun_holds(plan, error))
        return false;
    if (lb_streq(value, "any") || lb_streq(value, "first")) {
        if (!target->lun_given)
            target->lun_choice = value[0] == 'a' ? LB_LUN_ANY : LB_LUN_FIRST;
        return true;
    }
    if (!lb_lun_parse(lb_bytes_of_text(value), target->lun, &offset))
        return config_error(error, "lun", value, offset, "hex digits without 0x, any or first");
    target->lun_given = true;
    target->lun_choice = LB_LUN_AS_GIVEN;
    return true;
}

static bool override_target(const struct lb_plan *plan, struct lb_rootpath *target,
                            struct lb_error *error) {
    const char *value = lb_config_text(plan->config, LB_KEY_TARGET);
    size_t offset = 0;
    if (!lb_iscsi_name_parse(lb_bytes_of_text(value), plan->person_names, target->target,
                             &target->warnings, &offset))
        return config_error(error, "target", value, offset,
                            "an iSCSI name, such as iqn.YYYY-MM.domain:disk");
    return true;
}

/* Keys of a source earlier than `from` do not count. */
static bool is_set_from(const struct lb_plan *plan, enum lb_key key, enum lb_config_source from) {
    return lb_config_source(plan->config, key) >= from;
}

static bool override_fields(const struct lb_plan *plan, struct lb_choice *choice,
                            enum lb_config_source from, struct lb_error *error) {
    if (is_set_from(plan, LB_KEY_SERVER, from) && !override_server(plan, &choice->target, error))
        return false;
    if (is_set_from(plan, LB_KEY_PORT, from))
        choice->target.port = (uint16_t)lb_config_u32(plan->config, LB_KEY_PORT);
    if (is_set_from(plan, LB_KEY_LUN, from) && !override_lun(plan, &choice->target, error))
        return false;
    return !is_set_from(plan, LB_KEY_TARGET, from) || override_target(plan, &choice->target, error);
}

bool lb_choice_parse_other(const struct lb_plan *plan, struct lb_bytes string,
                           struct lb_rootpath *target, struct lb_error *error) {
    const struct lb_config *config = plan->config;
    const char *lun = lb_config_text(config, LB_KEY_LUN);
    struct lb_error why = {.code = LB_OK};
    *target = (struct lb_rootpath){.host = LB_HOST_NONE};
    if (!lb_rootpath_parse(string, plan->person_names, target, NULL, &why)) {
        lb_fail(error, why.code, "other-rootpaths: %s", why.facts);
        return false;
    }
    if (target->host == LB_HOST_NONE) {
        lb_fail(error, LB_E_NO_SERVER, "other-rootpaths: target %s", target->target);
        return false;
    }
    if (!target->lun_given && (lb_streq(lun, "any") || lb_streq(lun, "first")))
        target->lun_choice = lun[0] == 'a' ? LB_LUN_ANY : LB_LUN_FIRST;
    return true;
}

static bool check_others(const struct lb_plan *plan, struct lb_error *error) {
    struct lb_bytes item;
    struct lb_bytes list = lb_bytes_of_text(lb_config_text(plan->config, LB_KEY_OTHER_ROOTPATHS));
    struct lb_rootpath target;
    while (lb_list_next(&list, ' ', &item))
        if (item.len > 0 && !lb_choice_parse_other(plan, item, &target, error))
            return false;
    return true;
}

static bool is_complete(const struct lb_rootpath *target) {
    return target->target[0] != '\0' && target->host != LB_HOST_NONE;
}

/* ---- the target ----------------------------------------------------------------------------- */

/* A Root Path is a whole disk: fields of earlier sources do not change it. */
static enum lb_config_source first_source(const struct lb_plan *plan) {
    const struct lb_config *config = plan->config;
    return lb_config_is_set(config, LB_KEY_ROOTPATH) ? lb_config_source(config, LB_KEY_ROOTPATH)
                                                     : LB_SOURCE_IBFT;
}

static bool is_of_table(const struct lb_plan *plan, enum lb_key key) {
    return lb_config_source(plan->config, key) == LB_SOURCE_IBFT &&
           first_source(plan) == LB_SOURCE_IBFT;
}

/* Checks the configuration before anything is sent. has_target says whether it is all there. What
 * the firmware's table says is an earlier stage's decision, which the network does not undo; but
 * its server is not one that a person named. */
bool lb_choice_of_config(const struct lb_plan *plan, struct lb_choice *choice,
                         struct lb_error *error) {
    const struct lb_config *config = plan->config;
    choice->target = (struct lb_rootpath){.host = LB_HOST_NONE};
    if (lb_config_is_set(config, LB_KEY_ROOTPATH)) {
        struct lb_bytes string = lb_bytes_of_text(lb_config_text(config, LB_KEY_ROOTPATH));
        if (!lb_rootpath_parse(string, plan->person_names, &choice->target, NULL, error))
            return false;
    }
    if (!override_fields(plan, choice, first_source(plan), error) || !check_others(plan, error))
        return false;
    choice->has_target = is_complete(&choice->target);
    choice->from_network = is_of_table(plan, LB_KEY_SERVER);
    lb_error_clear(&choice->unnamed);
    lb_format(choice->source, sizeof choice->source, "%s",
              is_of_table(plan, LB_KEY_TARGET) ? lb_config_source_word(LB_SOURCE_IBFT)
                                               : "configuration");
    return true;
}

/* Somebody else's Root Path is none of ours. A disk that is named for others, or in another place,
 * is pointed out. */
static void tell_missing(struct lb_choice *choice, const struct lb_boot_answer *answer) {
    char shown[80], elsewhere[280] = "";
    struct lb_text text = lb_text(shown, sizeof shown);
    lb_text_untrusted(&text, answer->root_path);
    lb_text_untrusted(&text, answer->other_url);
    if (answer->elsewhere != NULL)
        lb_format(elsewhere, sizeof elsewhere, "; %s has one: put it into option %u: %s",
                  answer->elsewhere, answer->root_path_option, answer->elsewhere_text);
    if (shown[0] != '\0')
        lb_fail(&choice->unnamed, LB_E_NO_ROOT_PATH, "from %s; its option %u is %s%s", answer->from,
                answer->root_path_option, shown, elsewhere);
    else if (answer->failed != NULL) /* the routers announced it */
        lb_fail(&choice->unnamed, LB_E_NO_ROOT_PATH, "from %s; DHCPv6: %s, %s", answer->from,
                lb_code_word(answer->failed->code), answer->failed->facts);
    else
        lb_fail(&choice->unnamed, LB_E_NO_ROOT_PATH, "from %s%s", answer->from, elsewhere);
}

static bool take_answer(const struct lb_plan *plan, const struct lb_boot_answer *answer,
                        struct lb_rootpath *target, struct lb_error *error) {
    struct lb_bytes string = answer->root_path;
    unsigned flags = plan->network_names | answer->root_path_flags;
    struct lb_error why = {.code = LB_OK};
    if (lb_rootpath_parse(string, flags, target, NULL, &why))
        return true;
    lb_fail(error, why.code, "from %s: %s", answer->root_path_from, why.facts);
    return false;
}

/* Whether what the configuration leaves open is to be found in the answer: not when a person gave a
 * whole Root Path, nor when there is nothing in the answer and the target's name is known. */
static bool needs_answer(const struct lb_plan *plan, const struct lb_choice *choice,
                         const struct lb_boot_answer *answer) {
    if (choice->has_target || lb_config_is_set(plan->config, LB_KEY_ROOTPATH))
        return false;
    return answer->root_path.len > 0 || choice->target.target[0] == '\0';
}

bool lb_choice_may_list(const struct lb_plan *plan, const struct lb_rootpath *target) {
    return plan->services[LB_BY_SENDTARGETS].is_on && target->host != LB_HOST_NONE &&
           target->target[0] == '\0';
}

/* Not by a dry run that has no network to ask it over. */
bool lb_choice_may_search(const struct lb_plan *plan, const struct lb_rootpath *target) {
    if (plan->goal == LB_GOAL_TARGETS || (plan->goal == LB_GOAL_PROBE && !plan->network_is_up))
        return false;
    return plan->services[LB_BY_SLP].is_on || plan->services[LB_BY_ISNS].is_on ||
           lb_choice_may_list(plan, target);
}

/* What is not named is left to discovery, where that may be done. */
static bool leave_to_discovery(const struct lb_plan *plan, struct lb_choice *choice,
                               struct lb_error *error) {
    if (choice->target.target[0] != '\0')
        lb_fail(&choice->unnamed, LB_E_NO_SERVER, "target %s, named by %s", choice->target.target,
                choice->source);
    if (lb_choice_may_search(plan, &choice->target))
        return true;
    lb_fail(error, choice->unnamed.code, "%s", choice->unnamed.facts);
    return false;
}

bool lb_choice_make(const struct lb_plan *plan, const struct lb_boot_answer *answer,
                    struct lb_choice *choice, struct lb_error *error) {
    if (!lb_choice_of_config(plan, choice, error))
        return false;
    if (needs_answer(plan, choice, answer) &&
        !lb_rootpath_is_iscsi(answer->root_path, answer->root_path_flags)) {
        tell_missing(choice, answer);
    } else if (needs_answer(plan, choice, answer)) {
        if (!take_answer(plan, answer, &choice->target, error) ||
            !override_fields(plan, choice, LB_SOURCE_IBFT, error))
            return false;
        choice->has_target = is_complete(&choice->target);
        choice->from_network = !is_set_from(plan, LB_KEY_SERVER, LB_SOURCE_START);
        lb_format(choice->source, sizeof choice->source, "%s", answer->root_path_from);
    }
    return choice->has_target || lb_config_is_set(plan->config, LB_KEY_OTHER_ROOTPATHS) ||
           leave_to_discovery(plan, choice, error);
}

/* ---- our own name --------------------------------------------------------------------------- */

/* Our own name may always have a `_`. */
static bool take_name(unsigned flags, const char *value, struct lb_own_name *own, size_t *offset) {
    unsigned warnings = 0;
    return lb_iscsi_name_parse(lb_bytes_of_text(value), flags & ~(unsigned)LB_ROOTPATH_STRICT_NAMES,
                               own->name, &warnings, offset);
}

static bool take_configured(const struct lb_plan *plan, struct lb_own_name *own,
                            struct lb_error *error) {
    const char *value = lb_config_text(plan->config, LB_KEY_INITIATOR);
    size_t offset = 0;
    if (take_name(plan->person_names, value, own, &offset))
        return true;
    lb_fail(error, LB_E_NAME_INVALID, "initiator=%s, at byte %zu", value, offset);
    return false;
}

bool lb_choice_own_name_is_valid(const struct lb_plan *plan, struct lb_error *error) {
    struct lb_own_name own;
    return !lb_config_is_set(plan->config, LB_KEY_INITIATOR) || take_configured(plan, &own, error);
}

/* Whether the name that the network gives is one, and may be borrowed. */
static bool take_given(const struct lb_plan *plan, const char *given, struct lb_own_name *own) {
    size_t offset;
    if (!take_name(plan->network_names, given, own, &offset))
        own->unused = "it is no iSCSI name that accept-names takes";
    else if (!lb_rules_initiator(plan->config, own->name))
        own->unused = "allow-initiator does not allow it";
    return own->unused == NULL;
}

/* open-iscsi's package makes a file with a name for each machine, and copies of a machine have its
 * name: a server that names the disk knows better. */
static bool is_of_any_machine(const struct lb_config *config) {
    return lb_config_source(config, LB_KEY_INITIATOR) == LB_SOURCE_OPEN_ISCSI &&
           !lb_config_is_set(config, LB_KEY_TARGET) && !lb_config_is_set(config, LB_KEY_ROOTPATH);
}

bool lb_choice_own_name(const struct lb_plan *plan, const struct lb_boot_answer *answer,
                        struct lb_own_name *own, struct lb_error *error) {
    const struct lb_config *config = plan->config;
    bool is_given = answer != NULL && answer->initiator != NULL && answer->initiator[0] != '\0';
    bool is_set = lb_config_is_set(config, LB_KEY_INITIATOR);
    *own = (struct lb_own_name){.source = "made from the machine's identity"};
    if (is_given && (!is_set || is_of_any_machine(config)) &&
        take_given(plan, answer->initiator, own)) {
        own->source = "DHCP option 203";
    } else if (is_set) {
        own->source = lb_config_source_word(lb_config_source(config, LB_KEY_INITIATOR));
        return take_configured(plan, own, error);
    } else {
        lb_iscsi_name_default(own->name, plan->uuid, plan->mac);
    }
    return true;
}
