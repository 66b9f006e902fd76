#include "batch/downstream/webhook_call.h"

#include "batch/config/token_file.h"
#include "batch/downstream/http_call.h"

namespace ferry {

RefreshOutcome WebhookCall::Make(const Occasion& occasion, std::chrono::milliseconds timeout,
                                 const std::stop_token& stop) {
  const PlainUrl plain = WithoutUser(target_.url.Reveal());
  const std::string body =
      target_.body.empty() ? JsonOf(occasion) : FillTemplate(target_.body, occasion);
  HttpRequest request;
  request.method = Method::kPost;
  request.url = plain.url;
  request.headers = {{"content-type", "application/json"},
                     {"idempotency-key", occasion.idempotency_key},
                     {"user-agent", "bucketferry"}};
  if (!target_.token_file.empty()) {
    const Secret token = ReadTokenFile(target_.token_file);
    request.headers.emplace_back("authorization", "Bearer " + token.Reveal());
  } else if (!plain.authorization.empty()) {
    request.headers.emplace_back("authorization", plain.authorization);
  }
  request.body = body;
  const HttpAnswer answer = SendAndWait(name_, request, clock_, {.timeout = timeout}, stop);
  ExpectSuccess(name_, answer);
  return answer.status == 202 ? RefreshOutcome::kAccepted : RefreshOutcome::kDone;
}

}  // namespace ferry
