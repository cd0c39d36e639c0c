package shell

import "regexp"

// value is a flag's or a variable's value as typed: quoted or up to the next blank.
const value = `("(?:[^"\\]|\\.)*"|'[^']*'|\S+)`

// secrets find what must not be kept, most specific first; the first group stays.
var secrets = []*regexp.Regexp{
	// --from-literal=key=value keeps its key
	regexp.MustCompile(`(--from-literal[= ]["']?[^\s='"]+=)` + value),
	regexp.MustCompile(`(--(?:token|password|docker-password|auth-provider-arg|exec-env)[= ])` + value),
	regexp.MustCompile(`(?i)(\b[\w.-]*(?:password|passwd|secret|token|api_?key)[\w.-]*=)` + value),
	regexp.MustCompile(`(?i)(\bbearer\s+)` + value),
}

// secretObject finds a Secret within a here document or a patch: nothing of it is kept.
var secretObject = regexp.MustCompile(`(?i)(kind["']?\s*:\s*["']?Secret\b|stringData)`)

// redact returns a line as it may be kept: values that look like secrets become ***; empty when none of it may be.
func redact(entry string) string {
	if secretObject.MatchString(entry) {
		return ""
	}
	for _, s := range secrets {
		entry = s.ReplaceAllString(entry, "${1}***")
	}
	return entry
}
