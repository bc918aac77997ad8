#include "server/images.h"

bool lb_image_is_name(struct lb_bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.p[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_letter && (i == 0 || (c != '-' && c != '.')))
            return false;
    }
    return text.len > 0 && text.len <= LB_IMAGE_NAME_MAX;
}
