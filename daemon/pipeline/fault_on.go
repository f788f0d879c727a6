//go:build faults

package pipeline

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// faultAt is "STEP:N": at the Nth time that it comes to the step, the process kills
// itself as kill -9 does.
var faultAt = os.Getenv("PCAPDIR_FAULT")

var faultsSeen atomic.Int64

// fault is where a test kills the process: see contrib/killtest.
func fault(step string) {
	name, count, _ := strings.Cut(faultAt, ":")
	if name != step {
		return
	}
	if n, err := strconv.ParseInt(count, 10, 64); err == nil && faultsSeen.Add(1) == n {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}
