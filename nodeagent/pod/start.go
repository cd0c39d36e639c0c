package pod

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// start makes one container run:
//
//  1. the images that it mounts are there, and its own
//  2. its spec is resolved: variables, mounts, files
//  3. the engine creates it, under a name that the attempt gives
//  4. the engine starts it
//  5. its postStart hook has run
//
// An agent that is killed on the way finds a container without its start, or none.
func (w *worker) start(a Action) operation {
	c := containerOf(w.view.Pod, a.Container)
	g, making := groupOf(w.expected()), w.making
	sandbox, _ := g.sandbox()
	last, restarted := g.newest(a.Container)
	if !restarted {
		last, restarted = w.view.remembered(g, a.Container)
	}
	pod := w.podNow()
	targetID, noTarget := target(pod, g, c.Name)
	share := w.view.share(c)
	s := starter{
		worker: w, pod: pod, container: c, say: w.narrator.container(pod, c), sayOfPod: w.narrator.container(pod, nil),
		build: builder{
			pod: pod, node: w.deps.Hostname, memory: w.deps.Capacity[corev1.ResourceMemory], dns: podDNS(pod, w.deps.DNS),
			share: share, target: targetID, objects: w.objects, links: w.links, fields: w.deps.Fields, files: w.files, volumes: w.volumes, paths: w.paths, client: w.deps.Client,
		},
	}
	return func(ctx context.Context) (func(), error) {
		if noTarget != nil {
			return nil, &waitError{Reason: configError, Message: noTarget.Error()}
		}
		id, image := a.ID, Image{}
		if id == "" {
			var err error
			id, image, err = s.create(ctx, sandbox, a.Attempt)
			if making != nil {
				if lost := making.wait(ctx); lost != nil {
					return nil, lost
				}
			}
			if err != nil {
				return nil, err
			}
		}
		if err := s.run(ctx, id); err != nil {
			return nil, err
		}
		return func() {
			if image.ID != "" {
				w.view.ImageIDs[image.ID] = image.RepoDigest
			}
			if restarted && a.ID == "" && in(sandbox, last) {
				w.view.BackOff[c.Name] = w.view.BackOff[c.Name].Next(last)
			}
		}, nil
	}
}

// starter is one start under way.
type starter struct {
	worker    *worker
	pod       *corev1.Pod
	container *corev1.Container
	build     builder
	say       func(kind, reason, message string)
	sayOfPod  func(kind, reason, message string) // what is no container's
}

func (s *starter) create(ctx context.Context, sandbox Container, attempt int) (id string, image Image, err error) {
	deps, c := s.worker.deps, s.container
	volumes, err := s.worker.imageVolumes.of(ctx, s)
	if err != nil {
		return "", Image{}, err
	}
	s.build.paths = withImages(s.build.paths, volumes)
	image, err = s.images(s.say).ensure(ctx, c)
	if err != nil {
		return "", Image{}, err
	}
	spec, skipped, err := s.build.spec(ctx, c, sandbox, image, attempt)
	if err != nil {
		return "", Image{}, failedFor(ctx, configError, err)
	}
	if len(skipped) > 0 {
		s.say(corev1.EventTypeWarning, "InvalidEnvironmentVariableNames",
			fmt.Sprintf("Keys [%s] were skipped since they are not valid names of environment variables.", strings.Join(skipped, ", ")))
	}
	id, err = deps.Runtime.Create(ctx, spec)
	if err != nil {
		return "", Image{}, failedFor(ctx, createError, err)
	}
	imageVolumesMounted.Add(float64(len(volumes)))
	s.say(corev1.EventTypeNormal, "Created", "Created container: "+c.Name)
	return id, image, nil
}

// images makes images present, and says so by the given voice.
func (s *starter) images(say func(kind, reason, message string)) images {
	deps := s.worker.deps
	return images{
		runtime: deps.Runtime, puller: deps.Puller,
		say:     func(_ *corev1.Container, kind, reason, message string) { say(kind, reason, message) },
		secrets: func(ctx context.Context) []corev1.Secret { return pullSecrets(ctx, s.pod, s.build.objects, say) },
		show:    s.worker.showPull,
	}
}

// run starts the container and its hook. A command that cannot run is no error here: the container has ended with it.
func (s *starter) run(ctx context.Context, id string) error {
	err := s.worker.deps.Runtime.Start(ctx, id)
	var bad *StartError
	if errors.As(err, &bad) {
		s.say(corev1.EventTypeWarning, "Failed", fmt.Sprintf("Error: failed to start container %q: %s", s.container.Name, bad.Message))
		return nil
	}
	if err != nil {
		return failedFor(ctx, runError, err)
	}
	s.say(corev1.EventTypeNormal, "Started", "Started container "+s.container.Name)
	if l := s.container.Lifecycle; l == nil || l.PostStart == nil {
		return nil
	}
	return s.postStart(ctx, id)
}

// postStart runs the hook; a container whose hook fails is ended, and restarted as its policy says.
func (s *starter) postStart(ctx context.Context, id string) error {
	s.worker.containersChanged() // it runs, which the status may say by now
	hook := hook{runtime: s.worker.deps.Runtime, id: id, host: s.pod.Status.PodIP, container: s.container}
	err := hook.run(ctx, s.container.Lifecycle.PostStart)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	s.say(corev1.EventTypeWarning, "FailedPostStartHook", fmt.Sprintf("PostStartHook failed: %v", err))
	s.say(corev1.EventTypeNormal, "Killing", "FailedPostStartHook")
	grace := (&planner{View: &View{Pod: s.pod}}).grace()
	return s.worker.deps.Runtime.Stop(ctx, id, grace)
}

// failedFor keeps a cancelled operation's error as it is, and a reason that is known better.
func failedFor(ctx context.Context, reason string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if known := (*waitError)(nil); errors.As(err, &known) {
		return known
	}
	return &waitError{Reason: reason, Message: err.Error()}
}
