package everykind

import (
	"slices"
	"strings"
	"testing"
)

// check is one thing that holds for every kind that serves its verbs.
type check struct {
	name  string
	verbs []string // that the kind must serve, beside create, get and delete
	run   func(*testing.T, *subject)
}

// checks are all of them.
var checks = []check{
	{"create: what was asked for, and whose it is", nil, createKeepsWhatWasAsked},
	{"create: a dry run keeps nothing", nil, createDryRun},
	{"create: a name that is taken", nil, createTaken},
	{"create: a bad name", nil, createBadName},
	{"create: another kind's object", nil, createWrongKind},
	{"create: a generated name", nil, createGeneratedName},
	{"create: unknown fields", nil, createUnknownFields},
	{"create: in YAML", nil, createYAML},
	{"create: in protobuf", nil, createProtobuf},
	{"create: a media type that nobody knows", nil, createUnknownMedia},

	{"get: the same object in JSON and protobuf", nil, getTyped},
	{"get: in YAML", nil, getYAML},
	{"get: as a table", nil, getTable},
	{"get: metadata only", nil, getMetadata},
	{"get: what is not there", nil, getNothing},
	{"get: a form that nobody knows", nil, getUnknownForm},

	{"list: by labels and fields", []string{"list"}, listSelected},
	{"list: in chunks", []string{"list", "patch"}, listChunks},
	{"list: resource versions", []string{"list"}, listVersions},
	{"list: in protobuf, as a table, metadata only", []string{"list"}, listForms},
	{"list: bad selectors", []string{"list"}, listBadSelectors},

	{"watch: what comes, changes and goes", []string{"watch", "patch"}, watchLife},
	{"watch: in protobuf, as a table, metadata only", []string{"watch", "patch"}, watchForms},
	{"watch: by labels that change", []string{"watch", "patch"}, watchLabels},
	{"watch: from the beginning, to a bookmark", []string{"watch"}, watchInitial},

	{"update: one writer after another", []string{"update"}, updateConflict},
	{"update: nothing changed, nothing written", []string{"update"}, updateNothing},
	{"update: without a resource version", []string{"update"}, updateUnconditional},
	{"update: what is not there", []string{"update"}, updateNothingThere},
	{"update: the wrong name, the wrong object", []string{"update"}, updateWrong},
	{"update: a dry run keeps nothing", []string{"update"}, updateDryRun},

	{"patch: JSON, merge and strategic", []string{"patch"}, patchKinds},
	{"patch: refusals", []string{"patch"}, patchRefused},
	{"patch: a change of what is wanted raises the generation", []string{"patch"}, patchGeneration},
	{"apply: makes, changes, takes away", []string{"patch"}, applyLife},
	{"apply: conflicts and force", []string{"patch"}, applyConflict},
	{"apply: refusals", []string{"patch"}, applyRefused},

	{"status: of its own", nil, statusIsolation},
	{"scale: replicas and nothing else", nil, scaleReplicas},
	{"subresources: every verb of theirs", nil, subresourcesAnswer},

	{"delete: preconditions and dry run", nil, deletePreconditions},
	{"delete: finalizers hold it", []string{"patch"}, deleteFinalizers},
	{"delete: twice", nil, deleteTwice},
	{"deletecollection: what is selected", []string{"deletecollection"}, deleteSelected},
}

// TestEveryKind asks each kind for each of its verbs. Kinds run side by side, each in its own namespace.
func TestEveryKind(t *testing.T) {
	c := start(t)
	served := discover(t, c)
	served.checkKinds(t)
	served.checkFiles(t)
	for _, r := range served.resources {
		t.Run(fileName(r.gvr), func(t *testing.T) {
			t.Parallel()
			s := &subject{clients: c, resource: r}
			if r.Namespaced {
				s.namespace = strings.ReplaceAll("of-"+strings.TrimSuffix(fileName(r.gvr), ".yaml"), ".", "-")
				c.newNamespace(t, s.namespace)
			}
			s.example = load(t, r.gvr, s.namespace)
			switch {
			case !r.stored():
				answers(t, s)
				return
			case !r.serves("create"):
				measures(t, s)
				return
			}
			for i, check := range checks {
				if slices.ContainsFunc(check.verbs, func(verb string) bool { return !r.serves(verb) }) {
					continue
				}
				if ok := t.Run(check.name, func(t *testing.T) { check.run(t, s) }); !ok && i == 0 {
					return // the example is no good
				}
			}
		})
	}
}
