#include "hosts/uefi/silence.h"

enum silence_advice silence_judge(struct silence *silence, uint64_t now_us, bool is_due,
                                  uint64_t heard_us) {
    uint64_t wait_us = LB_MAX(silence->wait_us, (uint64_t)SILENCE_START_US);
    if (!is_due || silence->since_us == 0 || heard_us > silence->since_us) {
        if (heard_us > silence->since_us)
            silence->wait_us = 0;
        silence->since_us = is_due ? now_us : 0;
        silence->asked_us = 0;
        return SILENCE_NOTHING;
    }
    uint64_t passed_us = now_us - silence->since_us;
    if (passed_us >= wait_us && silence->asked_us != 0) {
        silence->since_us = now_us;
        silence->asked_us = 0;
        silence->wait_us = LB_MIN(wait_us * 4, (uint64_t)SILENCE_START_MAX_US);
        return SILENCE_START;
    }
    if (passed_us < SILENCE_ASK_US || now_us - silence->asked_us < SILENCE_AGAIN_US)
        return SILENCE_NOTHING;
    silence->asked_us = now_us;
    return SILENCE_ASK;
}
