// CurlHttp: Http over libcurl, on one event loop. The only file that sets libcurl options.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "batch/store/congestion_control.h"
#include "batch/store/event_loop.h"
#include "batch/store/http.h"
#include "batch/store/spare_connections.h"

namespace ferry {

struct CurlOptions {
  std::string ca_file = {};  // empty: the system's
  std::string proxy = {};    // a URL; empty: as the environment says
  std::chrono::seconds connect_timeout{10};
  bool direct = false;  // no proxy, whatever the environment names
  // Both outlive the CurlHttp.
  CongestionControl* congestion_control = nullptr;  // null: the host's own
  SpareConnections* spares = nullptr;               // null: none
};

// Handles are kept for reuse; connections belong to the loop. On the loop's thread only.
class CurlHttp final : public Http {
 public:
  CurlHttp(EventLoop& loop, CurlOptions options);
  ~CurlHttp() override;

  Task<HttpAnswer> Send(HttpRequest& request) override;

 private:
  class Exchange;
  CURL* TakeHandle();
  void GiveBack(CURL* handle);
  // False: not connected yet.
  bool LookAt(curl_socket_t socket) const;

  EventLoop& loop_;
  const CurlOptions options_;
  // TLS sessions, so that a new connection to a known server costs a round trip less.
  CURLSH* const share_;
  std::vector<CURL*> idle_;
  bool expects_ = true;  // the server has not refused Expect: 100-continue yet
};

}  // namespace ferry
