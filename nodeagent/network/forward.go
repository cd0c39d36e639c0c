package network

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
)

// userChain is where the engine lets others decide about packets that it would not forward.
const userChain = "DOCKER-USER"

// passing is what must be forwarded to a bridge though its ports are not the engine's: what our rules redirected.
func passing(bridge string) []string {
	return []string{"-o", bridge, "-m", "conntrack", "--ctstate", "DNAT", "-m", "comment", "--comment", "host ports of pods", "-j", "ACCEPT"}
}

// letThrough makes the engine's firewall forward what comes for host ports from outside. It takes the engine's own
// tool: only that writes rules that the engine can read. An engine that has no such chain does not need it.
func letThrough(bridge string) error {
	if forwards(bridge) {
		return nil
	}
	if err := iptables("-I", passing(bridge)...); err != nil {
		return fmt.Errorf("letting host ports through the firewall: %w", err)
	}
	return nil
}

// forwards says whether letThrough has nothing to do.
func forwards(bridge string) bool {
	return iptables("-C", passing(bridge)...) == nil || iptables("-S") != nil
}

// stopForwarding takes back what letThrough did, if it did.
func stopForwarding(bridge string) error {
	if iptables("-C", passing(bridge)...) != nil {
		return nil
	}
	return iptables("-D", passing(bridge)...)
}

func iptables(verb string, rule ...string) error {
	cmd := exec.Command("iptables", append([]string{"--wait", "5", verb, userChain}, rule...)...)
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(output))
	}
	return nil
}
