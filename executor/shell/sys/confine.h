// What a worker gives up before it touches a hostile byte (shell/sys/worker.h), step by step.
#pragma once
#include "core/base/result.h"
#include "shell/sys/worker.h"

namespace glovebox {

// Each is called once, in the worker, in this order.
Status close_all_but(std::vector<int> keep);  // and makes stdin, stdout, stderr /dev/null where not kept
Status enter_root(const WorkerSpec& spec);    // kRead, kWrite: own mount namespace, root becomes "/"
Status enter_read_only_host(const std::string& writable);  // programs: own mount and network namespaces
Status drop_powers(const WorkerSpec& spec, bool program);  // uid, capabilities, no_new_privs, limits
Status install_worker_filter(WorkerPower power, bool program);

}  // namespace glovebox
