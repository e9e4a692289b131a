/* tocsinctl doctor, cut by what is looked at: this machine, AWS, the receivers. A check becomes one finding; findings
 * are told in the order in which they were begun, each as soon as it and those before it are known. What asks the
 * network is a job; jobs run a few at once, and end all together when the time is up. For the doctor's own files. */
#ifndef TOCSIN_CTL_DOCTOR_H
#define TOCSIN_CTL_DOCTOR_H

#include "aws/aws.h"
#include "ctl/verb.h"
#include "plugin/receivers.h"
#include "sources/source.h"

enum { DOCTOR_AT_ONCE = 8, DOCTOR_CALL_MS = 15000, DOCTOR_ALL_S = 120, DOCTOR_LONGEST_S = 3600 };

typedef enum { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL, DOCTOR_STATUSES } DoctorStatus;

typedef struct Finding {
    bool is_known;
    DoctorStatus status;
    const char *area; /* config machine aws receivers */
    char *what, *remedy; /* remedy NULL: none */
} Finding;

typedef struct Doctor Doctor;
typedef struct DoctorJob DoctorJob;
/* One question to the network. What its kind does not need is NULL. */
struct DoctorJob {
    Doctor *doctor;
    Finding *finding;
    void (*start)(DoctorJob *job); /* ends in doctor_end(), later or at once */
    const DoctorJob *after; /* asked only where this one ended well; NULL: at once */
    char *about; /* what it asks, for a person */
    enum { JOB_WAITING, JOB_RUNNING, JOB_OVER } state;
    bool is_good;
    const AwsAccount *account;
    const char *region, *topic; /* topic: an SNS topic's ARN */
    const SourceProbe *probe;
    json_t *config; /* the channel's; one reference */
};

struct Doctor {
    CtlContext *ctl;
    Snapshot *snapshot;
    Finding **findings;
    size_t count, told, statuses[DOCTOR_STATUSES];
    uv_loop_t loop;
    Http *http;
    Aws *aws;
    DoctorJob **jobs;
    size_t job_count, running, over;
    int64_t limit_s; /* of all jobs together */
    int64_t skew_ms; /* this clock's, when the jobs are over */
    bool is_late; /* the time is up: nothing is started any more */
};

/* A check that has ended, in words. `remedy` may be NULL. Texts are cleaned and copied. */
void doctor_say(Doctor *doctor, const char *area, DoctorStatus status, const char *remedy, const char *what, ...)
    __attribute__((format(printf, 5, 6)));
/* A job, waiting; its finding has its place among the others. Lives as long as the doctor. */
DoctorJob *doctor_job(Doctor *doctor, const char *area, void (*start)(DoctorJob *job), char *take_about);
/* Once for each job that was started: what became of it. */
void doctor_end(DoctorJob *job, DoctorStatus status, const char *remedy, const char *what, ...)
    __attribute__((format(printf, 4, 5)));
/* The same of an answer of AWS; `more`: what to add where it is fine, or NULL. */
void doctor_end_aws(DoctorJob *job, const AwsAnswer *answer, const char *more);
/* The same of one that the deadline has cut off. */
void doctor_end_late(DoctorJob *job);

/* Each looks at its part, or lays out its jobs. */
void doctor_machine(Doctor *doctor, const char *socket);
void doctor_aws_jobs(Doctor *doctor);
void doctor_aws_clock(Doctor *doctor); /* when the jobs are over */
void doctor_receiver_jobs(Doctor *doctor);
/* The job that asks who an account's keys belong to; NULL: there is none of this name. */
const DoctorJob *doctor_identity(const Doctor *doctor, const char *account);

#endif
