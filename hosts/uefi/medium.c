#include "hosts/uefi/medium.h"

void medium_init(struct medium *medium) {
    *medium = (struct medium){.id = 1, .is_present = true};
}

static enum medium_status status_of(enum lb_code code) {
    switch ((unsigned)code) {
    case LB_OK:
        return MEDIUM_OK;
    case LB_E_WRITE_PROTECTED:
        return MEDIUM_PROTECTED;
    case LB_E_NO_MEDIUM:
        return MEDIUM_NONE;
    case LB_E_DISK_CHANGED:
        return MEDIUM_CHANGED;
    default:
        return MEDIUM_BROKEN;
    }
}

enum medium_status medium_ended(struct medium *medium, enum lb_code code) {
    enum medium_status status = status_of(code);
    if (status == MEDIUM_CHANGED && medium->is_present) {
        medium->is_present = false;
        medium->id++;
    }
    return status;
}

enum medium_status medium_check(const struct medium *medium, uint32_t id) {
    if (id != medium->id)
        return MEDIUM_CHANGED;
    return medium->is_present ? MEDIUM_OK : MEDIUM_NONE;
}

enum medium_status medium_check_flush(const struct medium *medium) {
    return medium->is_present ? MEDIUM_OK : MEDIUM_CHANGED;
}
