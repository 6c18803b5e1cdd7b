// Command httpproxy says what client-go's rules make of NO_PROXY: one line of JSON in, one out.
package main

import (
	"encoding/json"
	"log"
	"net/url"
	"os"

	"golang.org/x/net/http/httpproxy"
)

func main() {
	var pairs []struct{ List, URL string }
	if err := json.NewDecoder(os.Stdin).Decode(&pairs); err != nil {
		log.Fatal(err)
	}
	proxied := make([]bool, len(pairs))
	for i, pair := range pairs {
		config := httpproxy.Config{HTTPSProxy: "http://127.0.0.1:1", HTTPProxy: "http://127.0.0.1:1", NoProxy: pair.List}
		address, err := url.Parse(pair.URL)
		if err != nil {
			log.Fatal(err)
		}
		proxy, err := config.ProxyFunc()(address)
		if err != nil {
			log.Fatal(err)
		}
		proxied[i] = proxy != nil
	}
	if err := json.NewEncoder(os.Stdout).Encode(proxied); err != nil {
		log.Fatal(err)
	}
}
