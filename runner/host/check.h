/*
 * `check`: what stands here and what does not, tried in a real child; and whether every package
 * that tasks may import works inside the walls.
 */
#ifndef HOST_CHECK_H
#define HOST_CHECK_H

struct check;
struct config;
struct error;
struct loop;
struct options;
struct zygote_options;

/* `zygote` must ask for a check (see zygote_link.h). All arguments must outlive it. NULL with
 * `err`. */
struct check *check_start(struct loop *loop, const struct config *config,
                          const struct zygote_options *zygote, const struct options *options,
                          struct error **err);
int check_zygote(const struct check *check);
/* 0 when all that the settings ask for holds, else 1. */
int check_exit_code(const struct check *check);
void check_drop(struct check **check);

#endif
