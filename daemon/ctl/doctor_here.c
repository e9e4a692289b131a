/* daemon/ctl/doctor_here.c: what stands on this machine: the state's folder, the daemon and its socket, the service,
 * the clock */
#include "base/alloc.h"
#include "base/json.h"
#include "ctl/ctl.h"
#include "ctl/doctor.h"
#include "net/unix_client.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

enum { ROOM_FAIL_MB = 64, ROOM_WARN_MB = 512, STATUS_MS = 5000 };

/* --- the state --- */

static void look_at_room(Doctor *doctor, const char *folder) {
    struct statvfs disk;
    if (statvfs(folder, &disk)) return;
    const unsigned long long free_mb = (unsigned long long)disk.f_bavail * disk.f_frsize >> 20;
    const DoctorStatus status = free_mb < ROOM_FAIL_MB ? DOCTOR_FAIL : free_mb < ROOM_WARN_MB ? DOCTOR_WARN : DOCTOR_OK;
    doctor_say(doctor, "machine", status, status == DOCTOR_OK ? NULL : "make room there, or move state.directory",
        "%s has %llu MB free", folder, free_mb);
}

static void look_at_state(Doctor *doctor, const char *folder) {
    struct stat found;
    OWN(text) char *copy = text_copy(folder);
    const char *parent = dirname(copy);
    if (!stat(folder, &found)) {
        const bool is_folder = S_ISDIR(found.st_mode), may = is_folder && !access(folder, W_OK | X_OK);
        const bool is_open = found.st_mode & (S_IRWXG | S_IRWXO);
        if (!may)
            doctor_say(doctor, "machine", DOCTOR_FAIL, "run this as the daemon's user, or give it the folder",
                "the state's folder %s cannot be written: %s", folder, is_folder ? strerror(errno) : "it is no folder");
        else if (is_open)
            doctor_say(doctor, "machine", DOCTOR_WARN, "chmod 0700", "others may enter the state's folder %s", folder);
        else
            doctor_say(doctor, "machine", DOCTOR_OK, NULL, "the state's folder %s can be written", folder);
        return may ? look_at_room(doctor, folder) : (void)0;
    }
    if (access(parent, W_OK | X_OK))
        return doctor_say(doctor, "machine", DOCTOR_FAIL, "make it, or run this as the daemon's user",
            "the state's folder %s does not exist, and cannot be made in %s: %s", folder, parent, strerror(errno));
    doctor_say(doctor, "machine", DOCTOR_OK, NULL, "the state's folder %s will be made", folder);
    look_at_room(doctor, parent);
}

/* --- the daemon --- */

/* Is the file newer than what runs? */
static void compare_config(Doctor *doctor, const json_t *status) {
    const char *file = snapshot_file(doctor->snapshot), *runs = json_text(json_object_get(status, "config"), "file");
    const json_t *last = json_object_get(json_object_get(status, "config"), "last_reload");
    OWN(text) char *mine = realpath(file, NULL);
    OWN(text) char *theirs = runs ? realpath(runs, NULL) : NULL;
    if (runs && mine && theirs && strcmp(mine, theirs))
        doctor_say(doctor, "machine", DOCTOR_WARN, "name it with -c", "the daemon runs by another file, %s", runs);
    else if (last && json_is_false(json_object_get(last, "ok")))
        doctor_say(doctor, "machine", DOCTOR_FAIL, "mend the file, then `tocsinctl reload`",
            "the daemon refused its last reload: %s", json_text(last, "error") ? json_text(last, "error") : "");
}

static void look_at_socket(Doctor *doctor, const char *socket) {
    UnixAnswer answer = {0};
    Error err = {0};
    struct stat found;
    if (stat(socket, &found) && errno == ENOENT)
        return doctor_say(doctor, "machine", DOCTOR_WARN, "systemctl start tocsin",
            "the daemon does not run: there is no %s", socket);
    if (access(socket, R_OK | W_OK))
        return doctor_say(doctor, "machine", DOCTOR_FAIL, "join the group that the socket belongs to (tocsin-read)",
            "the daemon's socket %s cannot be opened by you: %s", socket, strerror(errno));
    if (!unix_call(socket, "GET", "/v1/status", NULL, STATUS_MS, &answer, &err))
        return doctor_say(doctor, "machine", DOCTOR_FAIL, "look at `systemctl status tocsin`", "%s", err.text);
    OWN(json) json_t *status = json_read(answer.body, answer.length, NULL);
    const char *version = json_text(status, "version");
    if (answer.status == 200 && version)
        doctor_say(doctor, "machine", DOCTOR_OK, NULL, "the daemon %s answers at %s", version, socket);
    else
        doctor_say(
            doctor, "machine", DOCTOR_FAIL, "is that tocsind?", "%s answered with status %ld", socket, answer.status);
    free(answer.body);
    if (version && doctor->snapshot) compare_config(doctor, status);
}

/* --- the service and the clock --- */

static void look_at_unit(Doctor *doctor) {
    static const char *const paths[] = {"/etc/systemd/system/tocsin.service", "/run/systemd/system/tocsin.service",
        "/usr/local/lib/systemd/system/tocsin.service", "/usr/lib/systemd/system/tocsin.service",
        "/lib/systemd/system/tocsin.service"};
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        if (!access(paths[i], F_OK))
            return doctor_say(doctor, "machine", DOCTOR_OK, NULL, "the service is %s", paths[i]);
    doctor_say(doctor, "machine", DOCTOR_WARN, "install the package, or run tocsind under another supervisor",
        "systemd has no tocsin.service here");
}

static void look_at_clock(Doctor *doctor) {
    struct timex clock = {0};
    if (adjtimex(&clock) == TIME_ERROR)
        doctor_say(doctor, "machine", DOCTOR_WARN, "let chrony or timesyncd keep it",
            "nothing keeps this machine's clock right, as far as the kernel knows");
    else
        doctor_say(doctor, "machine", DOCTOR_OK, NULL, "this machine's clock is synchronized");
}

void doctor_machine(Doctor *doctor, const char *socket) {
    CtlPlaces places = {0};
    if (doctor->snapshot) places = doctor->ctl->places(doctor->snapshot);
    if (places.state_directory) look_at_state(doctor, places.state_directory);
    look_at_socket(doctor, places.socket && !strcmp(socket, CTL_SOCKET) ? places.socket : socket);
    look_at_unit(doctor);
    look_at_clock(doctor);
}
