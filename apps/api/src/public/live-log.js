// Goes on with a log while its run goes: the page is whole without this. Text is only ever set as text.
const log = document.querySelector('#log[data-follow]');
if (log) {
  const box = log.closest('.log');
  const source = new EventSource(
    `${log.dataset.follow}?follow=true&from=${encodeURIComponent(log.dataset.resume)}`,
  );
  source.addEventListener('log', (event) => {
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    box.querySelector('.faint')?.remove();
    log.append(document.createTextNode(JSON.parse(event.data).text));
    if (atEnd) box.scrollTop = box.scrollHeight;
  });
  source.addEventListener('end', () => {
    source.close();
    location.reload();
  });
  box.scrollTop = box.scrollHeight;
}
