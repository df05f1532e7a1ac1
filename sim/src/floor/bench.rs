//! Packing: a slip and a label come out of the printer, a packer picks the goods, boxes them and puts a label on. Now and
//! then two labels change places.

use super::sheet::Sheet;
use super::work::Work;
use super::{Hall, Happening, StationDevices, Truth, Wears};
use bevy_ecs::prelude::Entity;
use smol_str::SmolStr;
use std::collections::VecDeque;
use twin::goods::Goods;
use twin::station::StationKind;
use twin::{ParcelId, Sku, Span, StationId, WarehouseId};

/// A box without a label is noticed after this.
const SWAP_NOTICED: Span = Span::from_mins(30);

pub(super) struct Bench {
    warehouse: WarehouseId,
    pub(super) id: StationId,
    devices: StationDevices,
    free: u32,
    /// A slip whose label is still in the printer.
    slip: Option<(ParcelId, Vec<(Sku, u32)>)>,
    jobs: VecDeque<Job>,
    packing: VecDeque<(twin::Moment, Job)>,
    /// A box that waits, without label, while its label is being put on the next.
    swapped: Option<Entity>,
    pub(super) work: Work,
}

struct Job {
    parcel: ParcelId,
    goods: Vec<(Sku, u32)>,
    label: SmolStr,
}

impl Bench {
    pub(super) fn new(warehouse: WarehouseId, id: StationId, devices: StationDevices, free: u32) -> Self {
        let work = Work::new(StationKind::Bench, free);
        Bench { warehouse, id, devices, free, slip: None, jobs: VecDeque::new(), packing: VecDeque::new(), swapped: None, work }
    }
}

impl Bench {
    pub(super) fn is_idle(&self) -> bool {
        self.jobs.is_empty() && self.packing.is_empty() && self.swapped.is_none()
    }
}

impl Hall {
    pub(super) fn at_bench(&mut self, n: usize, sheet: Sheet) {
        let bench = &mut self.benches[n];
        match sheet {
            // A long order's next slip.
            Sheet::Slip { parcel, goods, page: 2.. } => {
                if let Some((_, so_far)) = bench.slip.as_mut().filter(|(of, _)| *of == parcel) {
                    so_far.extend(goods);
                }
            }
            Sheet::Slip { parcel, goods, .. } => bench.slip = self.used.insert(parcel.text().clone()).then_some((parcel, goods)),
            Sheet::Label { code } => {
                if let Some((parcel, goods)) = bench.slip.take() {
                    bench.jobs.push_back(Job { parcel, goods, label: code });
                    self.start_packing(n);
                    let bench = &mut self.benches[n];
                    bench.work.waits(bench.jobs.len());
                }
            }
            Sheet::Tag { .. } | Sheet::Shelf | Sheet::Blank => {}
        }
    }

    fn start_packing(&mut self, n: usize) {
        while self.benches[n].free > 0 {
            let Some(job) = self.benches[n].jobs.pop_front() else { return };
            let [from, to] = self.settings.pack_s;
            let takes = Span::from_ms(self.luck(job.parcel.as_str(), "packing").between(i64::from(from) * 1_000, i64::from(to) * 1_000));
            let now = self.clock.now();
            let done = now + takes;
            self.tally.pack_began.insert(job.parcel.clone(), now);
            let bench = &mut self.benches[n];
            bench.work.add(now, done);
            bench.free -= 1;
            let place = bench.packing.partition_point(|(at, _)| *at <= done);
            bench.packing.insert(place, (done, job));
            self.at(done, Happening::Packed(n));
        }
    }

    /// The packer who is due has finished.
    pub(super) fn packed(&mut self, n: usize) {
        let Some((_, job)) = self.benches[n].packing.pop_front() else { return };
        self.benches[n].free += 1;
        self.start_packing(n);
        self.tally.packed += 1;
        let mut luck = self.luck(job.parcel.as_str(), "packed");
        if let Some(scanner) = &self.benches[n].devices.scanner {
            scanner.pass(Some(&job.label), twin::Dims::default());
        }
        let (weight_g, dims) = self.box_up(&job, &mut luck);
        let readable = !luck.chance_ppm(self.settings.unreadable_label_ppm);
        let truth = Truth { parcel: job.parcel.clone(), weight_g, dims, own: job.label.clone() };
        let item = self.world.spawn((truth, Wears { code: job.label, readable })).id();
        // Two boxes are wrong each time two labels change places, and the second has no draw of its own: of n boxes with q
        // swaps each, 2q/(1+q) are wrong.
        let wrong = u64::from(self.settings.wrong_label_ppm.min(1_000_000));
        let swaps = luck.chance_ppm((wrong * 1_000_000 / (2_000_000 - wrong)) as u32);
        match self.benches[n].swapped.take() {
            Some(other) => {
                self.swap_labels(item, other);
                self.send_to_line(n, other);
                self.send_to_line(n, item);
            }
            None if swaps => {
                self.benches[n].swapped = Some(item);
                self.after(SWAP_NOTICED, Happening::SwapNoticed(n, item));
            }
            None => self.send_to_line(n, item),
        }
    }

    /// No other box came by: the packer sees the label lying there and puts it on.
    pub(super) fn swap_noticed(&mut self, n: usize, item: Entity) {
        if self.benches[n].swapped == Some(item) {
            self.benches[n].swapped = None;
            self.send_to_line(n, item);
        }
    }

    fn swap_labels(&mut self, a: Entity, b: Entity) {
        if let Ok([mut a, mut b]) = self.world.get_entity_mut([a, b])
            && let (Some(mut a), Some(mut b)) = (a.get_mut::<Wears>(), b.get_mut::<Wears>())
        {
            std::mem::swap(&mut *a, &mut *b);
            self.tally.wrong_applied += 2;
        }
    }

    fn send_to_line(&mut self, n: usize, item: Entity) {
        let warehouse = self.benches[n].warehouse.clone();
        self.infeed(&warehouse, item);
    }

    /// What the box really weighs and measures: true goods in the carton that the packing rule prescribes.
    fn box_up(&self, job: &Job, luck: &mut crate::luck::Luck) -> (u32, twin::Dims) {
        let mut goods = Vec::new();
        let (mut master_g, mut true_g) = (0i64, 0i64);
        for (sku, quantity) in &job.goods {
            let Some((piece_g, product)) = self.pieces.get(sku) else { continue };
            let quantity = *quantity;
            goods.push((Goods { sku: sku.clone(), quantity: 1, facts: product.clone() }, quantity));
            master_g += i64::from(product.weight_g) * i64::from(quantity);
            let goods_g = i64::from(*piece_g) * i64::from(quantity);
            let spread = spread_g(goods_g, self.settings.weight_spread_ppm);
            true_g += goods_g + luck.noise(spread);
        }
        let packed = rules::packing::declare(goods.iter().map(|(goods, pieces)| (goods, *pieces)));
        let carton_g = i64::from(packed.weight_g) - master_g;
        let mut side = |mm: u32| (i64::from(mm) + luck.noise(self.settings.size_spread_mm)).max(1) as u32;
        let dims = packed.dims;
        let dims = twin::Dims::new(side(dims.length_mm), side(dims.width_mm), side(dims.height_mm));
        ((true_g + carton_g).max(1) as u32, dims)
    }
}

/// The share of a weight that it is off by, to the nearest gram; light goods are never all alike, so at least one.
fn spread_g(goods_g: i64, spread_ppm: u32) -> u32 {
    if goods_g <= 0 || spread_ppm == 0 {
        return 0;
    }
    let nearest = (goods_g.saturating_mul(i64::from(spread_ppm)).saturating_add(500_000)) / 1_000_000;
    u32::try_from(nearest).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::spread_g;

    #[test]
    fn a_spread_is_rounded_and_light_goods_have_one() {
        let of = |grams| spread_g(grams, 10_000);
        assert_eq!([of(1), of(30), of(99), of(100), of(149), of(150), of(199), of(1_000)], [1, 1, 1, 1, 1, 2, 2, 10]);
        assert_eq!((spread_g(0, 10_000), spread_g(500, 0), spread_g(i64::MAX, u32::MAX)), (0, 0, u32::MAX));
    }
}
