//! What a tenth of the clients cost the others when they stop reading: a roster's listeners hear of every change, first
//! all of them readers, then with the stalled ones beside them, in turns.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use super::crowd::Crowd;
use super::socket::{Frame, ROLLCALL, Socket};
use super::stage::{Contender, Stage, changes, flood, hello};
use crate::Result;
use crate::report::{Report, median, quantile};
use crate::stack::Service;

/// Between two changes that are timed.
const PAUSE: Duration = Duration::from_millis(20);

/// Changes in quick succession, before those that are timed: they fill the pipe of a client that does not read.
const FILLING: u32 = 200;

/// And afterwards: they fill its queue.
const OVERFLOWING: u32 = 400;

/// A stalled client's connection has ended after so long, whether it reads again or not.
const END_MAX: Duration = Duration::from_secs(60);

/// The close code of a client that is too slow.
const TOO_SLOW: u16 = 4002;

/// What the others' p99 may become.
const RATIO_MAX: f64 = 2.0;

/// How many listen, and how many of them do not read.
#[derive(clap::Args)]
pub struct Stalled {
    /// Sockets that listen to one roster
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(10..))]
    listeners: u32,
    /// Of a hundred, how many never read
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=50))]
    percent: u32,
    /// Changes of that roster that are timed, without and again with them
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    changes: u32,
    /// How often each is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

impl Stalled {
    pub async fn run(&self, program: &Path) -> Result<Report> {
        let stuck = self.listeners * self.percent / 100;
        let mut report = Report::new(format!(
            "{} sockets on one roster, in every second measurement {stuck} of them never read; {} rounds of {} changes",
            self.listeners, self.rounds, self.changes
        ));
        let (mut without, mut with, mut ratios, mut told) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut ended = Vec::new();
        for _ in 0..self.rounds {
            let mut stage = Stage::start(Contender::Rollcall, program).await?;
            let roster = format!("roster:{}", stage.class());
            let hellos: Result<Vec<String>> =
                (stuck..self.listeners).map(|n| hello(&format!("desk-{n}"), "staff", &roster)).collect();
            let crowd = Crowd::gather(stage.far.port, ROLLCALL, hellos?).await?;
            flood(&mut stage, &crowd, FILLING).await?;
            let calm = changes(&mut stage, &crowd, self.changes, PAUSE).await?.concat();
            let mut stalled = Vec::new();
            for n in 0..stuck {
                let mut socket = Socket::open_stalled(stage.far.port, ROLLCALL).await?;
                socket.send(&hello(&format!("desk-{n}"), "staff", &roster)?).await?;
                stalled.push(socket);
            }
            let begun = Instant::now();
            flood(&mut stage, &crowd, FILLING).await?;
            let beside = changes(&mut stage, &crowd, self.changes, PAUSE).await?.concat();
            flood(&mut stage, &crowd, OVERFLOWING).await?;
            let before = quantile(&calm, 0.99);
            let beside = quantile(&beside, 0.99);
            without.push(before);
            with.push(beside);
            ratios.push(beside / before);
            let reading = stalled.split_off(stalled.len() / 2);
            told.push(told_why(reading).await? as f64);
            all_ended(&stage.far, &stalled).await?;
            ended.push(begun.elapsed().as_secs_f64());
        }
        self.judge(stuck, &ratios, &told, &mut report);
        report.figure("p99 of those who read, without, ms", without);
        report.figure("p99 of those who read, beside them, ms", with);
        report.figure("ratio", ratios);
        report.figure("closed 4002, of those who read again", told);
        report.figure("last connection of a stalled one ended after, s", ended);
        Ok(report)
    }

    fn judge(&self, stuck: u32, ratios: &[f64], told: &[f64], report: &mut Report) {
        let again = f64::from(stuck - stuck / 2);
        if let Some(few) = told.iter().find(|told| **told < again) {
            report.broken(format!("{few} of {again} were closed with {TOO_SLOW}"));
        }
        let ratio = median(ratios);
        if ratio > RATIO_MAX {
            report.broken(format!("the others' p99 is {ratio:.2} times what it was"));
        }
    }
}

/// Reads again; how many find at the end of what was sent that they were too slow.
async fn told_why(sockets: Vec<Socket>) -> Result<usize> {
    let mut told = 0;
    for mut socket in sockets {
        let end = timeout(END_MAX, async {
            loop {
                match socket.next().await {
                    Ok(Frame::Text(_)) => {}
                    Ok(Frame::Close(code)) => return code,
                    Err(_) => return None,
                }
            }
        });
        told += usize::from(end.await? == Some(TOO_SLOW));
    }
    Ok(told)
}

/// Waits until the service holds no end of these connections, which are not read from.
async fn all_ended(service: &Service, sockets: &[Socket]) -> Result<()> {
    let clients: Result<Vec<u16>> = sockets.iter().map(Socket::local_port).collect();
    let clients = clients?;
    let ended = timeout(END_MAX, async {
        while service.established(&clients)? > 0 {
            sleep(Duration::from_millis(500)).await;
        }
        Ok(())
    });
    ended.await.map_err(|_| "a stalled reader's connection did not end")?
}
