#include "sources/cloudwatch.h"

const Source *const sources[] = {&cloudwatch_source, NULL};
