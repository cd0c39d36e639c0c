package registry

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// collect runs the collector for a client: POST /v2/_leme/gc, with dryRun and untagged as Rules has them. What is younger
// than the grace may belong to a push under way, and stays whatever the client asks for.
func (r *Registry) collect(w http.ResponseWriter, req *http.Request, _ route) error {
	rules, err := r.askedRules(req)
	if err != nil {
		return err
	}
	got, err := r.GC(req.Context(), rules)
	if err != nil {
		return err
	}
	return writeJSON(w, "application/json", got)
}

func (r *Registry) askedRules(req *http.Request) (Rules, error) {
	rules, query := r.Rules(), req.URL.Query()
	if query.Has("untagged") {
		age, err := time.ParseDuration(query.Get("untagged"))
		if err != nil || age < 0 {
			return rules, fmt.Errorf("%w: untagged=%q is no duration", errParameter, query.Get("untagged"))
		}
		rules.Untagged = max(age, rules.Grace)
	}
	if query.Has("dryRun") {
		dryRun, err := strconv.ParseBool(query.Get("dryRun"))
		if err != nil {
			return rules, fmt.Errorf("%w: dryRun=%q", errParameter, query.Get("dryRun"))
		}
		rules.DryRun = dryRun
	}
	return rules, nil
}
