/* How often secrets were wiped, for programs that are linked with --wrap=lb_wipe (in
 * tests/meson.build): a wipe that is left out changes nothing else that a test could see. */
#ifndef LB_TEST_WIPES_H
#define LB_TEST_WIPES_H

#include "core/crypto/crypto.h"

static unsigned wipes;

/* lb_wipe itself, as the linker names it. */
void __real_lb_wipe(void *p, size_t len);

/* What the linker calls in its place: counts, and wipes. */
void __wrap_lb_wipe(void *p, size_t len);
void __wrap_lb_wipe(void *p, size_t len) {
    wipes++;
    __real_lb_wipe(p, len);
}

/* How many wipes there were since it was last asked. */
static inline unsigned take_wipes(void) {
    unsigned count = wipes;
    wipes = 0;
    return count;
}

#endif
