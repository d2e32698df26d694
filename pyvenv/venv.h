/*
 * The virtual environment that tasks run on: which one it is, what it was made for, how much is in
 * it. Pure C over its files, for the host, which has no Python, as for the zygote.
 */
#ifndef PYVENV_VENV_H
#define PYVENV_VENV_H

#include <stddef.h>

struct error;

/* How an environment came to be the one. */
enum venv_source { VENV_NONE, VENV_SETTING, VENV_BESIDE, VENV_AROUND };

struct venv {
    char *folder; /* absolute, without links; NULL: there is none, and tasks have no packages */
    enum venv_source source;
};

/* Where it may be looked for. */
struct venv_places {
    const char *setting;    /* N8N_RUNNERS_PYTHON_VENV, or NULL */
    const char *program;    /* the folder that the program really stands in */
    const char *invoked_as; /* argv[0]: a path X/bin/NAME may stand in the environment X, as the
                               interpreter does that the program takes the place of */
};

/*
 * The first there is: the setting's, `venv` beside the program, the one around it. None is no
 * error; one that is named or begun and is not whole is. venv_free().
 */
int venv_find(struct venv *venv, const struct venv_places *places, struct error **err);
void venv_free(struct venv *venv);

/* "N packages in `FOLDER` (how it was found)", or that there is none. free(). */
char *venv_text(const struct venv *venv);

/* Is it of Python `major`.`minor`, and of its own packages alone, as far as its pyvenv.cfg says? -1
 * with `err` when it is not. */
int venv_check(const char *folder, int major, int minor, struct error **err);

#endif
