package rest

import (
	"slices"

	utilnet "k8s.io/apimachinery/pkg/util/net"
)

const (
	warningCode = 299     // RFC 7234: miscellaneous, persistent
	maxWarnings = 4 << 10 // bytes in the headers of one response
)

// warn adds a Warning header. It must come before the answer; more than clients can bear is left out.
func (c *call) warn(text string) {
	header, err := utilnet.NewWarningHeader(warningCode, "-", text)
	if err != nil || slices.Contains(c.w.Header().Values("Warning"), header) {
		return
	}
	if c.warned += len(header); c.warned > maxWarnings {
		return
	}
	c.w.Header().Add("Warning", header)
}
