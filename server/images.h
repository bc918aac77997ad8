/* Images: disks by name, in versions that nobody changes.
 *
 * STATE/images/NAME@N is version N of image NAME, a raw disk of mode 0444. A version is made
 * beside it, as .NAME@N.new, made durable, and renamed: after a power cut it is there whole, or not
 * at all.
 * The newest is the one with the highest number. */
#ifndef LB_SERVER_IMAGES_H
#define LB_SERVER_IMAGES_H

#include "server/settings.h"

#define LB_IMAGE_NAME_MAX LB_SERVER_IMAGE_MAX
#define LB_IMAGE_PATH_MAX (LB_SERVER_STATE_MAX + LB_IMAGE_NAME_MAX + 40)

/* A version of an image. */
struct lb_image {
    char name[LB_IMAGE_NAME_MAX + 1];
    uint32_t version; /* from 1; 0: none */
};

/* Small letters, digits, - and ., the first a letter or a digit. */
bool lb_image_is_name(struct lb_bytes text);
/* Reads "debian@2", as a file is named. False: it is none; *image is untouched. */
bool lb_image_parse(struct lb_bytes text, struct lb_image *image);
/* STATE/images/NAME@N. */
void lb_image_path(const char *state, const struct lb_image *image, char path[LB_IMAGE_PATH_MAX]);
/* STATE/images/.NAME@N.new. */
void lb_image_new_path(const char *state, const struct lb_image *image,
                       char path[LB_IMAGE_PATH_MAX]);
/* The version that a path names, where it is one of this state folder; else version is 0. */
struct lb_image lb_image_of_path(const char *state, const char *path);
/* The newest version of an image; 0: there is none. */
uint32_t lb_images_newest(const char *state, const char *name);
/* The next version after *image in the order of names and numbers; at first its name is empty.
 * False: that was all. */
bool lb_images_next(const char *state, struct lb_image *image);
/* The format of a disk that is not raw, as qemu-img names it, by how its file begins; NULL: none
 * that is known. */
const char *lb_image_format(int fd);
/* The program that has compressed a file, by how it begins; NULL: none that is known. */
const char *lb_image_packer(int fd);
/* What a disk of such a format takes from other files, in words; NULL: nothing. Whoever made it
 * chose those files: they may be any of this computer. */
const char *lb_image_outside(int fd);
/* Makes the folder, and removes what a killed lunbootd has left half made. */
bool lb_images_open(const char *state, struct lb_server_error *error);
/* The version that was made as .new is there, durably. 0, or an errno; it is never a part. */
int lb_image_publish(const char *state, const struct lb_image *image);

#endif
