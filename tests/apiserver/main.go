// One program that is a whole Kubernetes API server: the real kube-apiserver, the real etcd that it stores in, and
// the two controllers without which a deletion never ends.
//
//	apiserver FOLDER KUBE-APISERVER-FLAG…
//
// It says on stdout where it listens. For each line on stdin it forgets the past, as a server does every five minutes,
// and says so. It ends when stdin does, and takes the folder with it: so nothing stays behind of a test that was killed.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiserver/pkg/server"
	serveroptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/restmapper"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/namespace"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: apiserver FOLDER KUBE-APISERVER-FLAG…")
		os.Exit(2)
	}
	folder := os.Args[1]
	// Nobody may be there any more to read the log, while there is still something to put away.
	signal.Ignore(syscall.SIGPIPE)
	orders := make(chan struct{})
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			orders <- struct{}{}
		}
		_ = os.RemoveAll(folder)
		os.Exit(0)
	}()
	if err := run(server.SetupSignalContext(), filepath.Join(folder, "etcd"), os.Args[2:], orders); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, data string, flags []string, orders <-chan struct{}) error {
	etcd, err := startEtcd(data)
	if err != nil {
		return err
	}
	defer etcd.Close()

	parsed, err := parse(append(flags, "--etcd-servers=http://"+etcd.Clients[0].Addr().String()))
	if err != nil {
		return err
	}
	fmt.Println("https://" + parsed.SecureServing.Listener.Addr().String())
	go func() {
		for range orders {
			if err := forget(ctx, v3client.New(etcd.Server)); err != nil {
				fmt.Println(err)
			} else {
				fmt.Println("forgotten")
			}
		}
	}()
	return serve(ctx, parsed)
}

// Compacts what etcd stores: nothing before this very moment can be read any more.
func forget(ctx context.Context, client *clientv3.Client) error {
	defer client.Close()
	answer, err := client.Get(ctx, "/")
	if err != nil {
		return err
	}
	_, err = client.Compact(ctx, answer.Header.Revision, clientv3.WithCompactPhysical())
	return err
}

// Port 0 is any free one: the program asks the system itself, so nobody can take the port in between.
func startEtcd(data string) (*embed.Etcd, error) {
	anywhere := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config := embed.NewConfig()
	config.Dir = data
	config.ListenClientUrls, config.AdvertiseClientUrls = anywhere, anywhere
	config.ListenPeerUrls, config.AdvertisePeerUrls = anywhere, anywhere
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.LogLevel = "warn"
	// Nobody else stands for election.
	config.TickMs, config.ElectionMs = 20, 100
	// What is stored is thrown away in the end, so nothing waits for the disk.
	config.UnsafeNoFsync = true
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err := <-etcd.Err():
		return nil, err
	}
}

// The flags of kube-apiserver, but --secure-port=0 is any free port.
func parse(flags []string) (*options.ServerRunOptions, error) {
	parsed := options.NewServerRunOptions()
	set := pflag.NewFlagSet("apiserver", pflag.ContinueOnError)
	for _, named := range parsed.Flags().FlagSets {
		set.AddFlagSet(named)
	}
	if err := set.Parse(flags); err != nil {
		return nil, err
	}
	if err := parsed.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return nil, err
	}
	// A token that was good is otherwise good for ten more seconds, however it was taken away.
	parsed.Authentication.TokenSuccessCacheTTL = 0
	serving := parsed.SecureServing
	address := net.JoinHostPort(serving.BindAddress.String(), strconv.Itoa(serving.BindPort))
	var err error
	serving.Listener, serving.BindPort, err = serveroptions.CreateListener("tcp", address, net.ListenConfig{})
	return parsed, err
}

// What kube-apiserver's own command does once its flags are read, and the controllers.
func serve(ctx context.Context, parsed *options.ServerRunOptions) error {
	completed, err := parsed.Complete(ctx)
	if err != nil {
		return err
	}
	if failures := completed.Validate(); len(failures) > 0 {
		return errors.Join(failures...)
	}
	config, err := app.NewConfig(completed)
	if err != nil {
		return err
	}
	whole, err := config.Complete()
	if err != nil {
		return err
	}
	chain, err := app.CreateServerChain(whole)
	if err != nil {
		return err
	}
	if err := chain.GenericAPIServer.AddPostStartHook("controllers", startControllers); err != nil {
		return err
	}
	prepared, err := chain.PrepareRun()
	if err != nil {
		return err
	}
	return prepared.Run(ctx)
}

// The controllers that empty a namespace which is deleted, and that follow owners and finalizers of cascades.
func startControllers(hook server.PostStartHookContext) error {
	ctx, config := hook.Context, hook.LoopbackClientConfig
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	metadataClient, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	objects := informers.NewSharedInformerFactory(client, 0)
	metadatas := metadatainformer.NewSharedInformerFactory(metadataClient, 0)

	namespaces := namespace.NewNamespaceController(ctx, client, metadataClient,
		client.Discovery().ServerPreferredNamespacedResources, objects.Core().V1().Namespaces(), time.Minute,
		corev1.FinalizerKubernetes)

	started := make(chan struct{})
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	graph := garbagecollector.NewDependencyGraphBuilder(ctx, metadataClient, mapper,
		garbagecollector.DefaultIgnoredResources(), informerfactory.NewInformerFactory(objects, metadatas), started)
	collector, err := garbagecollector.NewComposedGarbageCollector(ctx, client, metadataClient, mapper, graph)
	if err != nil {
		return err
	}

	objects.Start(ctx.Done())
	metadatas.Start(ctx.Done())
	close(started)
	go namespaces.Run(ctx, 2)
	go collector.Run(ctx, 2, 30*time.Second)
	go collector.Sync(ctx, client.Discovery(), 5*time.Second)
	return nil
}
