package rest

import (
	"cmp"
	"mime"
	"slices"
	"strconv"
	"strings"
)

// format is the bytes that an answer is made of.
type format string

const (
	formatJSON     format = "application/json"
	formatYAML     format = "application/yaml"
	formatProtobuf format = "application/vnd.kubernetes.protobuf"
)

// form is what an answer shows of an object.
type form string

const (
	formFull    form = ""
	formTable   form = "Table"
	formPartial form = "PartialObjectMetadata"
)

// accept is what was agreed on for an answer.
type accept struct {
	format format
	form   form
	pretty bool
}

// contentType is the header that goes with it.
func (a accept) contentType(watching bool) string {
	switch {
	case watching && a.format == formatProtobuf:
		return string(a.format) + ";stream=watch"
	default:
		return string(a.format)
	}
}

const (
	objectOffers = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
	streamOffers = "application/json, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
)

// clause is one media type of an Accept header.
type clause struct {
	media  string
	params map[string]string
	q      float64
}

// parseAccept gives the clauses, best first: by q, then as written. What cannot be read is left out.
func parseAccept(header string) []clause {
	var clauses []clause
	for part := range strings.SplitSeq(header, ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		c := clause{media: media, params: params, q: 1}
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
			c.q = q
		}
		if c.q > 0 {
			clauses = append(clauses, c)
		}
	}
	slices.SortStableFunc(clauses, func(a, b clause) int { return cmp.Compare(b.q, a.q) })
	return clauses
}

// negotiate takes the first clause that can be served. ok is false where there is none.
func negotiate(header string, watching bool) (a accept, ok bool) {
	if strings.TrimSpace(header) == "" {
		return accept{format: formatJSON}, true
	}
	for _, c := range parseAccept(header) {
		if a, ok := c.serve(watching); ok {
			return a, true
		}
	}
	return accept{}, false
}

func (c clause) serve(watching bool) (accept, bool) {
	var a accept
	switch c.media {
	case "application/json", "*/*", "application/*":
		a.format = formatJSON
	case "application/yaml", "application/x-yaml", "text/yaml":
		a.format = formatYAML
	case string(formatProtobuf):
		a.format = formatProtobuf
	default:
		return a, false
	}
	if watching && a.format == formatYAML {
		return a, false // it has no frames
	}
	if stream := c.params["stream"]; stream != "" && (!watching || stream != "watch") {
		return a, false
	}
	if c.params["as"] == "" {
		return a, true
	}
	if c.params["g"] != "meta.k8s.io" || c.params["v"] != "v1" || a.format == formatProtobuf {
		return a, false
	}
	switch c.params["as"] {
	case "Table":
		a.form = formTable
	case "PartialObjectMetadata", "PartialObjectMetadataList":
		a.form = formPartial
	default:
		return a, false
	}
	return a, true
}

// negotiate decides the answer's form from the call's headers and parameters.
func (c *call) negotiate() error {
	watching := c.info.Verb == "watch"
	a, ok := negotiate(strings.Join(c.r.Header.Values("Accept"), ","), watching)
	if !ok {
		if watching {
			return notAcceptable(streamOffers)
		}
		return notAcceptable(objectOffers)
	}
	a.pretty = c.pretty()
	c.accept = a
	return nil
}

// pretty is for people who look at the answer itself: who asks for it, or uses a browser, curl or wget.
func (c *call) pretty() bool {
	if c.query.Has("pretty") {
		return isTrue(c.query, "pretty")
	}
	agent := c.r.UserAgent()
	return strings.HasPrefix(agent, "curl") || strings.HasPrefix(agent, "Wget") || strings.HasPrefix(agent, "Mozilla/5.0")
}
